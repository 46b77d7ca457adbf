"""The upgrade confirms users who could sign in rightly, not those who only claimed an address."""

import pytest
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from tests.factories import PASSWORD
from tests.http import sign_in

BEFORE = ("accounts", "0005_support_group")


@pytest.fixture
def upgrade():
    """Make users as the previous version left them, migrate, return who can sign in by password."""
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    executor.migrate([BEFORE])

    def go():
        MigrationExecutor(connection).migrate(leaves)

    yield go
    MigrationExecutor(connection).migrate(leaves)


def make(name, *rows, password=PASSWORD, **fields):
    """Make a user of the previous version with rows of (email, primary, verified)."""
    password = make_password(password) if password else make_password(None)
    user = User.objects.create(email=f"{name}@example.com", password=password, **fields)
    for email, primary, verified in rows:
        user.emailaddress_set.create(email=email, primary=primary, verified=verified)
    return user


def signs_in(name):
    client = Client()
    client.post("/login/", {"login": f"{name}@example.com", "password": PASSWORD})
    return client.get("/domains/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_migration_locks_out_no_user_who_could_sign_in_rightly(upgrade):
    now = timezone.now()
    make("operator")  # by createsuperuser
    make("asked", ("asked@example.com", False, False))  # a reset was requested
    make("changing", ("changing@example.com", True, True), ("new@example.com", False, False))
    make("signed-up", ("signed-up@example.com", True, True))
    make("claimed", ("claimed@example.com", True, False))
    make("came-in", ("came-in@example.com", True, False), last_login=now)  # while sign-up was closed
    reset = make("reset", ("reset@example.com", True, False))
    Event.objects.create(at=now, tag="account.password_reset", actor_id=reset.pk, actor_name="", number=1)
    make("stale", ("operator@example.com", True, True))  # a row with the login of another user
    make("added", password=None)  # in the admin; no link was opened yet
    make("linked", password=None, last_login=now)  # by a provider
    upgrade()
    names = ("operator", "asked", "changing", "signed-up", "reset", "stale", "claimed", "came-in")
    assert [name for name in names if signs_in(name)] == [*names[:6]]
    confirmed = User.objects.confirmed().values_list("email", flat=True)
    assert {"linked@example.com", "changing@example.com"} <= set(confirmed)
    assert not {"added@example.com", "claimed@example.com", "came-in@example.com"} & set(confirmed)


@pytest.mark.django_db(transaction=True)
def test_migration_ends_sessions_of_claimed_addresses_only(upgrade):
    claimed, operator = make("claimed", ("claimed@example.com", True, False)), make("operator")
    sessions = [sign_in(Client(), user) for user in (claimed, operator)]
    assert all(HASH_SESSION_KEY in client.session for client in sessions)
    upgrade()
    assert [client.get("/domains/").status_code for client in sessions] == [302, 200]


@pytest.mark.django_db(transaction=True)
def test_migration_finds_addresses_in_mixed_case(upgrade):
    User.objects.create(email="Mixed@Example.com", password=make_password(PASSWORD))
    upgrade()
    assert User.objects.confirmed().get().emailaddress_set.get().email == "mixed@example.com"
