import pytest
from django.contrib.auth.models import Permission

from tests.factories import make_user

SUPPORT = (
    *("view_user", "change_user", "add_user", "view_event"),
    *("view_credential", "change_credential", "delete_credential", "view_refusedlogins"),
    *("view_domain", "change_domain"),
    *("view_membership", "add_membership", "change_membership", "delete_membership"),
)


def make_staff(email, *permissions):
    user = make_user(email, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def sam(db):
    """Support staff with every permission that the job needs, and no superuser."""
    return make_staff("sam@support.example", *SUPPORT)


@pytest.fixture
def vera(db):
    """Support staff who may look and do nothing."""
    return make_staff("vera@support.example", *(name for name in SUPPORT if name.startswith("view_")))


@pytest.fixture
def root(db):
    """A superuser."""
    return make_user("root@support.example", is_staff=True, is_superuser=True)


@pytest.fixture
def as_sam(client, sam):
    client.force_login(sam)
    return client


@pytest.fixture
def as_vera(client, vera):
    client.force_login(vera)
    return client


@pytest.fixture
def as_root(client, root):
    client.force_login(root)
    return client
