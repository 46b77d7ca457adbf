import pytest
from django.contrib.auth.models import Group, Permission

from tests.factories import make_user
from tests.http import sign_in


def make_staff(email, *permissions):
    user = make_user(email, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def sam(db):
    """Support staff: in the group that a migration creates, not a superuser."""
    user = make_staff("sam@support.example")
    user.groups.add(Group.objects.get(name="Support"))
    return user


@pytest.fixture
def vera(db):
    """Support staff with permission to view only."""
    views = Permission.objects.filter(group__name="Support", codename__startswith="view_")
    return make_staff("vera@support.example", *views.values_list("codename", flat=True))


@pytest.fixture
def root(db):
    """A superuser."""
    return make_user("root@support.example", is_staff=True, is_superuser=True)


@pytest.fixture
def as_sam(client, sam):
    return sign_in(client, sam)


@pytest.fixture
def as_vera(client, vera):
    return sign_in(client, vera)


@pytest.fixture
def as_root(client, root):
    return sign_in(client, root)
