import gc
import logging
import os
import shutil
import time
from contextlib import nullcontext

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management.commands import flush
from django.db import OperationalError, connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import override_settings

from accounts import emails
from tests import factories, locks
from tests.environment import VAR_DIR
from tests.http import sign_in
from tests.leaks import Search

MADE_BY_MIGRATIONS = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}


def pytest_collection_modifyitems(config, items):
    """Leave out what is of the other database alone, and on PostgreSQL what uses none: both are tested."""
    on_postgresql = os.environ.get("DATABASE_URL", "").startswith("postgres")

    def is_left_out(item):
        if on_postgresql and not item.get_closest_marker("postgresql"):
            return item.get_closest_marker("sqlite") or not _uses_a_database(item)
        return not on_postgresql and item.get_closest_marker("postgresql")

    left_out = set(filter(is_left_out, items))
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _uses_a_database(item):
    return item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(item.fixturenames)


def pytest_collection_finish():
    """What is loaded stays: to look through all of it for garbage again and again took a tenth of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 5, 5)


def pytest_unconfigure():
    shutil.rmtree(VAR_DIR, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings():
    """A file, not memory: the servers under test are other processes on the same database."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(VAR_DIR / "database" / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def flush_without_constants():
    """Emptying the tables between tests leaves what migrations made, and so needs no post_migrate.

    To make it again took longer than most tests: 80 ms. On PostgreSQL, TRUNCATE takes 100 ms for tables
    that hold next to nothing.
    """

    def sql_flush(style, connection, **options):
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        names = map(connection.ops.quote_name, sorted({*tables} - MADE_BY_MIGRATIONS))
        return [f"DELETE FROM {name}" for name in names]  # noqa: S608

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **kwargs: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def patient_flush():
    """Emptying the tables between tests can meet a server that writes what it counted: once more, then."""
    execute = BaseDatabaseOperations.execute_sql_flush

    def flush_again(self, statements):
        for seconds in (0.1, 0.5, 1, 2):
            try:
                return execute(self, statements)
            except OperationalError:
                time.sleep(seconds)
        return execute(self, statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_again)
        yield


@pytest.fixture(scope="session")
def logged_everywhere(django_db_setup):
    """Everything is logged at DEBUG and searched; only what LOG_LEVEL lets through is written, as ever."""
    root, search = logging.getLogger(), Search()
    for handler in root.handlers:
        handler.setLevel(root.level)
    root.addHandler(search)
    root.setLevel(logging.DEBUG)
    return search


@pytest.fixture(scope="session")
def locks_are_in_order(django_db_setup):
    """On PostgreSQL every transaction of the product locks in the one order (audit/locks.py)."""
    with locks.watched() if connection.vendor == "postgresql" else nullcontext([]) as out_of_order:
        yield out_of_order


@pytest.fixture(autouse=True)
def nothing_goes_wrong_unseen(logged_everywhere, locks_are_in_order):
    yield
    logged, logged_everywhere.found = logged_everywhere.found, []
    assert not logged, "A secret was logged"
    out_of_order = [*locks_are_in_order]
    locks_are_in_order.clear()
    assert not out_of_order


# Once, not for each test: fixtures are most of what a test of a pure function costs.
@pytest.fixture(scope="session", autouse=True)
def settings_of_tests():
    """What tests that say nothing else run with."""
    static_files = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        # Pages name static files as they stand; the hashed names are tested in tests/e2e.
        STORAGES=settings.STORAGES | {"staticfiles": static_files},
        # Each test client starts WhiteNoise anew: it looks for a file when asked, and reads none at the start.
        WHITENOISE_AUTOREFRESH=True,
        # The real hash takes half a second a sign-in; only servers under a browser wait for it.
        PASSWORD_HASHERS=["tests.hashers.QuickHasher"],
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def letters_are_sent_when_asked():
    """Mail that tests collect counts as sent. No thread sends it: tests that read it call http.delivered().

    It yields what counts as not sent in the product.
    """
    silent = emails.SILENT_BACKENDS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emails, "SILENT_BACKENDS", silent - {"locmem"})
        patch.setattr(emails, "start_delivery", lambda: None)
        yield silent


@pytest.fixture(autouse=True)
def fresh_rate_limits(request):
    """No test starts with the tries that another one used up."""
    for database in ("transactional_db", "db"):
        if database in request.fixturenames:
            request.getfixturevalue(database)
            cache.clear()
            break


@pytest.fixture
def alice(db):
    """Owner of sl.example.com."""
    return factories.make_user("alice@example.com", name="Alice Archer")


@pytest.fixture
def bob(db):
    """A member of sl.example.com: viewer, unless the test says otherwise."""
    return factories.make_user("bob@example.com")


@pytest.fixture
def carol(db):
    """A stranger to sl.example.com."""
    return factories.make_user("carol@example.com")


@pytest.fixture
def domain(alice, bob):
    """sl.example.com, authorized, without any credential."""
    domain = factories.make_domain("sl.example.com", owner=alice)
    domain.memberships.create(user=bob, role="viewer")
    return domain


@pytest.fixture
def credential(domain):
    """A credential of sl.example.com; its password is factories.password_of(credential)."""
    return factories.make_credential(domain)


@pytest.fixture
def as_alice(client, alice):
    return sign_in(client, alice)
