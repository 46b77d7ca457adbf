"""deploy/postgres/app_role.sql: the dashboard's role does its work, and can only add events."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.mail.daemons import DEPLOY
from tests.servers import ROOT

pytestmark = pytest.mark.postgresql  # SQLite has no roles

NAME = "sendlayer_roles"
FIRST_EVENT = (
    "INSERT INTO audit_event (tag, actor_name, domain_name, credential, user_agent, data, at, digest)"
    " VALUES ('x', 'x', '', '', '', '{}', now(), '') RETURNING id"
)


def url(role):
    at = urlsplit(os.environ["DATABASE_URL"])
    return f"postgres://{role}@{at.hostname}:{at.port}/{NAME}"


def run(*command, code=0, **environment):
    command = [sys.executable, *command]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def give_rights():
    psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", DEPLOY / "postgres" / "app_role.sql"]
    done = subprocess.run([*psql, url("postgres")], check=True, capture_output=True, text=True)
    assert done.stdout + done.stderr == ""


@contextmanager
def as_owner():
    """Let manage.py act as the owner of the tables, as deploy/sendlayer-migrate does."""
    give_rights()
    with psycopg.connect(url("postgres"), autocommit=True) as opened:
        opened.execute("GRANT sendlayer_owner TO sendlayer")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGOPTIONS", "-c role=sendlayer_owner")
            patch.setenv("DATABASE_URL", url("sendlayer"))
            yield
    finally:
        give_rights()


@pytest.fixture(scope="module")
def database():
    """A database that was made and migrated as by sendlayer-install."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as opened:
        opened.execute("CREATE ROLE sendlayer LOGIN")
        opened.execute(f"CREATE DATABASE {NAME} OWNER sendlayer")
        with as_owner():
            run("manage.py", "migrate", "--verbosity", "0")
        yield
        opened.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
        opened.execute("DROP ROLE sendlayer, sendlayer_owner")


@pytest.fixture
def as_dashboard(database):
    with psycopg.connect(url("sendlayer"), autocommit=True) as opened:
        yield opened


def test_role_may_do_all_acts_of_the_site(database):
    output = run("-m", "tests.audit.acts_of_the_site", DATABASE_URL=url("sendlayer"))
    assert "no chain is broken" in output and "may change" not in output


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET tag = 'y'",
        "UPDATE audit_event SET domain_id = NULL",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "INSERT INTO audit_event (id, tag, actor_name, domain_name, credential, user_agent, data, at, digest)"
        " SELECT id, 'y', 'x', '', '', '', '{}', now(), '' FROM audit_event"
        " ON CONFLICT (id) DO UPDATE SET tag = 'y'",
        "ALTER TABLE audit_event RENAME TO other",
        "ALTER TABLE audit_event OWNER TO sendlayer",
        "DROP TABLE audit_event CASCADE",
        "GRANT UPDATE ON audit_event TO sendlayer",
        "CREATE TRIGGER t BEFORE INSERT ON audit_event EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE r AS ON INSERT TO audit_event DO INSTEAD NOTHING",
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE audit_event (x int)",
        "SET ROLE sendlayer_owner",
        "SET session_replication_role = replica",
        "GRANT sendlayer_owner TO sendlayer",
        "DELETE FROM audit_chainkey",
        "DELETE FROM django_migrations",
        "ALTER ROLE sendlayer SUPERUSER",
        "COPY audit_event TO PROGRAM 'cat'",
    ],
)
def test_role_can_not_change_events_or_grant_itself_the_right(as_dashboard, statement):
    (event,) = as_dashboard.execute(FIRST_EVENT).fetchone()
    before = as_dashboard.execute("SELECT * FROM audit_event ORDER BY id").fetchall()
    try:
        as_dashboard.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        pass
    else:
        # PostgreSQL only warns of a grant that gave nothing.
        assert statement == "GRANT UPDATE ON audit_event TO sendlayer"
    assert as_dashboard.execute("SELECT * FROM audit_event ORDER BY id").fetchall() == before
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_dashboard.execute("UPDATE audit_event SET tag = 'y' WHERE id = %s", [event])


def test_restore_by_the_owner_returns_the_role_its_rights(database, tmp_path):
    """As deploy/sendlayer-restore does; without the owner's rights `restore` names it."""
    path, mine = tmp_path / "backup.zip", {"DATABASE_URL": url("sendlayer")}
    run("manage.py", "backup", path, **mine)
    restore = ("manage.py", "restore", path, "--replace", "--yes")
    assert "use sendlayer-restore" in run(*restore, code=1, **mine)
    with as_owner():
        assert "Restored the backup" in run(*restore)
    with psycopg.connect(url("sendlayer"), autocommit=True) as opened:
        (event,) = opened.execute(FIRST_EVENT).fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            opened.execute("DELETE FROM audit_event WHERE id = %s", [event])


def test_reconcile_by_the_owner_revokes_what_the_role_may_not_compare(database, tmp_path):
    now = datetime.now(UTC).isoformat()
    lost = {"tag": "domain.suspended", "at": now, "domain_name": "lost.example.com"}
    (tmp_path / "lost.jsonl").write_text(json.dumps(lost))
    reconcile = ("manage.py", "reconcile", tmp_path)
    assert "Use sendlayer-reconcile" in run(*reconcile, code=1, DATABASE_URL=url("sendlayer"))
    with as_owner():
        assert "lost.example.com: added without members and suspended" in run(*reconcile)


def test_role_can_use_tables_of_later_migrations(database, as_dashboard):
    with psycopg.connect(url("postgres"), autocommit=True) as superuser:
        superuser.execute("SET ROLE sendlayer_owner")
        superuser.execute("CREATE TABLE later (id bigint GENERATED BY DEFAULT AS IDENTITY, x serial)")
    (made,) = as_dashboard.execute("INSERT INTO later DEFAULT VALUES RETURNING id").fetchone()
    assert as_dashboard.execute("UPDATE later SET x = 2 RETURNING id, x").fetchall() == [(made, 2)]
    assert as_dashboard.execute("DELETE FROM later RETURNING id").fetchall() == [(made,)]
