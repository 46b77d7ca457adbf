# ruff: noqa: S608  (names of tables, from the schema)
"""deploy/postgres/roles.sql: a mail server's role calls the three lookup functions and nothing else."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction

from tests.factories import SYSTEM
from tests.mail.conftest import MAIL_PASSWORD

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]

VIEWS = ["smtp_passdb", "smtp_passdb_previous", "smtp_sender"]
TYPES = ["varchar", "text", "bigint"]


@pytest.fixture
def as_mail_server(mail_database):
    settings = connection.settings_dict
    with psycopg.connect(
        host="127.0.0.1",
        port=settings["PORT"],
        dbname=settings["NAME"],
        user="sendlayer_mail",
        password=MAIL_PASSWORD,
        autocommit=True,
    ) as opened:
        yield opened


def test_mail_role_calls_the_lookup_functions(as_mail_server, credential):
    asked = "SELECT * FROM smtp_passdb_answer(%s)"
    assert as_mail_server.execute(asked, [credential.username]).fetchall() == [
        (f"{credential.username}.1", credential.verifier, None)
    ]
    nothing_fits = "{SSHA512}" + "A" * 96
    assert as_mail_server.execute(asked, ["X' OR true"]).fetchall() == [("X' OR true.0", nothing_fits, None)]
    previous = as_mail_server.execute("SELECT * FROM smtp_passdb_previous_answer(%s)", [credential.username])
    assert previous.fetchall() == [(f"{credential.username}.previous", nothing_fits, None)]
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
    asked = "SELECT smtp_sender_answer(%s)"
    assert [set(row[0].split(",")) for row in as_mail_server.execute(asked, ["sl.example.com"])] == [
        {f"{credential.username}.{ending}" for ending in ("1", "1.previous", "2")}
    ]
    assert as_mail_server.execute(asked, ["other.example.com"]).fetchall() == []


def test_lookup_functions_run_as_their_owner_whatever_the_search_path(as_mail_server, credential):
    """Names in them have their schemas, so that a caller's own operators and functions are never called."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA traps AUTHORIZATION sendlayer_mail")
    try:
        as_mail_server.execute("SET default_transaction_read_only = off")
        lies = [
            f"CREATE FUNCTION traps.lie({kind}, {kind}) RETURNS boolean LANGUAGE sql RETURN true"
            for kind in TYPES
        ]
        lies += [
            f"CREATE OPERATOR traps.{sign} (LEFTARG = {kind}, RIGHTARG = {kind}, FUNCTION = traps.lie)"
            for kind in TYPES
            for sign in ("=", ">", "<=")
        ]
        for statement in [*lies, "SET search_path = traps, pg_catalog, public"]:
            as_mail_server.execute(statement)
        assert as_mail_server.execute("SELECT 'a'::varchar = 'b'::varchar").fetchone() == (True,)
        (answer,) = as_mail_server.execute("SELECT \"user\" FROM smtp_passdb_answer('X')").fetchone()
        assert answer == "X.0"
        assert as_mail_server.execute("SELECT smtp_sender_answer('other.example.com')").fetchall() == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA traps CASCADE")


@pytest.mark.parametrize(
    ("view", "name"),
    [("smtp_passdb", "username"), ("smtp_passdb_previous", "username"), ("smtp_sender", "domain")],
)
def test_lookups_go_by_an_index_with_the_settings_of_the_role(mail_database, credential, view, name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = 'sendlayer_mail'")
        set_for_role = [row[0].split("=", 1) for row in cursor.fetchall()]
        with transaction.atomic():
            for setting in set_for_role:
                cursor.execute("SELECT set_config(%s, %s, true)", setting)
            cursor.execute(f"EXPLAIN SELECT * FROM {view} WHERE {name} = 'x'")
            plan = str(cursor.fetchall())
    assert "Index Scan" in plan and "Seq Scan" not in plan and "Hash" not in plan


def test_mail_role_is_denied_every_table_and_view(as_mail_server, credential):
    for view in VIEWS:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"permission denied for view {view}"):
            as_mail_server.execute(f"SELECT * FROM {view}")
    tables = connection.introspection.table_names()
    assert {"credentials_credential", "credentials_heartbeat", "audit_event"} <= set(tables)
    for table in tables:
        with connection.cursor() as cursor:
            column = connection.introspection.get_table_description(cursor, table)[0].name
        for statement in (
            f'SELECT * FROM "{table}"',
            f'INSERT INTO "{table}" DEFAULT VALUES',
            f'UPDATE "{table}" SET "{column}" = DEFAULT',
            f'DELETE FROM "{table}"',
            f'TRUNCATE "{table}"',
        ):
            as_mail_server.execute("SET default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied|must be owner"):
                as_mail_server.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "CREATE ROLE other",
        "UPDATE smtp_passdb SET verifier = 'x'",
        "DELETE FROM smtp_sender",
        "DROP VIEW smtp_passdb",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT * FROM pg_authid",
        "COPY smtp_passdb TO PROGRAM 'cat'",
    ],
)
def test_mail_role_has_no_other_right(as_mail_server, statement):
    as_mail_server.execute("SET default_transaction_read_only = off")
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
        as_mail_server.execute(statement)
