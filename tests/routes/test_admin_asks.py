"""Every POST to a route of the admin asks for a recent sign-in, and no GET does."""

import pytest

from tests.admin.test_recent_sign_in import CONFIRM, LONG_AGO
from tests.factories import make_user
from tests.http import sign_in
from tests.routes.table import routes
from tests.rows import kept

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ADMIN = [route for route in routes() if route.name.startswith("admin:")]


@pytest.fixture
def old(client, world):
    """A superuser who signed in 16 minutes ago."""
    root = make_user("root@support.example", is_staff=True, is_superuser=True)
    return sign_in(client, root, ago=LONG_AGO)


@pytest.mark.parametrize("name", [route.name for route in ADMIN])
def test_every_post_asks_for_a_recent_sign_in(world, old, name):
    """Also pages that are added later: the walk finds them by their routes."""
    (route,) = [route for route in ADMIN if route.name == name]
    path, before = world.path(route), kept()
    answer = old.post(path, {"action": "suspend", "_selected_action": "1", "reason": "spam"})
    if name == "admin:login":
        assert answer["Location"] == "/admin/"  # it takes no password: tests/admin/test_sign_in.py
    elif name == "admin:logout":
        assert answer.status_code == 200
    else:
        assert answer["Location"].startswith(f"{CONFIRM}?next=/admin/".replace("/admin/", "%2Fadmin%2F"))
        assert kept() == before


@pytest.mark.parametrize("name", [route.name for route in ADMIN if route.name != "admin:logout"])
def test_get_asks_for_no_sign_in(world, old, name):
    (route,) = [route for route in ADMIN if route.name == name]
    answer = old.get(world.path(route))
    assert not answer.headers.get("Location", "").startswith(CONFIRM)


def test_walk_finds_the_forms_and_lists():
    names = {route.name for route in ADMIN}
    assert {
        "admin:domains_domain_change",
        "admin:accounts_user_add",
        "admin:accounts_user_changelist",
        "admin:auth_group_delete",
    } <= names and len(names) > 30
