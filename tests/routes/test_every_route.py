"""Every route × method × role against the rights table (table.py)."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from domains.access import ALLOWED, Permission
from tests.accounts.codes import make_totp
from tests.http import headers_of, sign_in, without_tokens
from tests.routes.table import PUBLIC, RECENT, RIGHTS, SIGNED_IN, SIGNING_IN, STAFF, routes
from tests.routes.world import MEMBERS, NO_MEMBERS, OUTSIDE, OWNER, ROLES
from tests.routes.world import STAFF as STAFF_ROLE
from tests.rows import kept

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]
ROUTES = routes()
OK, SIGN_IN, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = "ok", "sign in", 403, 404, 405
CONFIRMATIONS = ("/account/reauthenticate/", "/account/two-factor/reauthenticate/")
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "TRACE", "FOO")


def expected(rights, method, role):
    """Return the right answers for a role."""
    right = rights.post if method == "POST" else rights.get
    if right is STAFF:
        # tests/admin tests what else staff may do.
        return {OK, SIGN_IN, FORBIDDEN, NOT_FOUND, NOT_ALLOWED} - (set() if role == STAFF_ROLE else {OK})
    if right is PUBLIC:
        # HEAD of a link that works once must not use it up.
        return {OK, SIGN_IN, NOT_FOUND} | ({NOT_ALLOWED} if method == "HEAD" else set())
    if role in OUTSIDE and PUBLIC not in rights:
        return {SIGN_IN}
    if right is None:
        return {NOT_ALLOWED}
    let_in = {OK, NOT_FOUND} if rights.made_up else {OK}
    if right is SIGNED_IN:
        return let_in
    if role in NO_MEMBERS:
        return {NOT_FOUND}
    return let_in if right in ALLOWED[role] else {FORBIDDEN}


def got(response):
    """Return the answer in the words of the table."""
    location = response.headers.get("Location", "")
    # From within the admin, its index stands for its sign-in; "/" leads staff there.
    doors = ("/login/", "/admin/") if response.wsgi_request.path.startswith("/admin/") else ("/login/",)
    if response.status_code == 302 and location.startswith(doors):
        return SIGN_IN
    refused = response.status_code in (401, FORBIDDEN, NOT_FOUND, NOT_ALLOWED) or response.status_code >= 500
    return response.status_code if refused else OK


def whole(response):
    return response.status_code, headers_of(response), without_tokens(response)


@pytest.fixture
def send(world):
    def send(role, method, path):
        return world.client(role).generic(method, path)

    return send


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_route_admits_exactly_the_roles_of_the_table(route, world, send):
    path = world.path(route)
    before = kept()
    for method in ("GET", "HEAD", "POST"):
        for role in ROLES:
            wanted = expected(route.rights, method, role)
            with transaction.atomic():
                assert got(send(role, method, path)) in wanted, (method, role)
                if method != "POST" or OK not in wanted:
                    assert kept() == before, (method, role)
                transaction.set_rollback(True)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_other_methods_are_refused_and_change_nothing(route, world, send):
    path, before = world.path(route), kept()
    for method in OTHER_METHODS:
        for role in ROLES:
            assert send(role, method, path).status_code == NOT_ALLOWED
    assert kept() == before


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if isinstance(route.rights.get or route.rights.post, Permission)],
    ids=lambda route: route.name,
)  # fmt: skip
def test_stranger_gets_the_answer_for_a_missing_domain(route, world, send):
    paths = world.path(route), world.path(route, name="no.example")
    for method in ("GET", "POST"):
        for role in NO_MEMBERS:
            there, nowhere = (whole(send(role, method, path)) for path in paths)
            assert there == nowhere


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.rights.post not in (None, STAFF)], ids=lambda route: route.name
)  # fmt: skip
def test_post_requires_a_recent_sign_in_unless_the_table_says_why_not(route, world):
    """tests/admin tests the admin's routes."""
    assert route.rights.asks, "Judge it: RECENT, or the reason why not"
    owner = User.objects.get(email=f"{OWNER}@example.com")
    fields = {"username": world.parts["username"]}  # for acts on some of many
    with transaction.atomic():
        if route.name.startswith("mfa_"):
            make_totp(owner)
        client = sign_in(Client(), owner, ago=timedelta(hours=1))
        before = kept()
        response = client.post(world.path(route), fields, headers={"HX-Request": "true"})
        is_unchanged = kept() == before
        transaction.set_rollback(True)
    where = response.headers.get("X-Confirm-Identity") or response.headers.get("Location", "")
    if route.rights.asks == RECENT:
        assert where.startswith(CONFIRMATIONS) and is_unchanged
    elif route.rights.asks != SIGNING_IN:
        assert not where.startswith(CONFIRMATIONS)


def test_table_names_existing_routes_only():
    assert set(RIGHTS) <= {route.name for route in ROUTES}


def test_table_covers_every_role():
    assert set(ROLES) == {*OUTSIDE, *NO_MEMBERS, *MEMBERS}
