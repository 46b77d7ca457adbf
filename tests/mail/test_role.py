# ruff: noqa: S608  (names of tables, from the schema)
"""deploy/postgres/roles.sql: a mail server's role reads the three views and nothing else."""

import psycopg
import pytest
from django.db import connection

from tests.mail.conftest import MAIL_PASSWORD

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]

VIEWS = ["smtp_passdb", "smtp_passdb_previous", "smtp_sender"]


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


def test_mail_role_reads_the_views(as_mail_server, credential):
    for view in VIEWS:
        as_mail_server.execute(f"SELECT * FROM {view}")
    row = as_mail_server.execute("SELECT username, verifier FROM smtp_passdb").fetchone()
    assert row == (credential.username, credential.verifier)


@pytest.mark.parametrize(
    ("view", "name"),
    [("smtp_passdb", "username"), ("smtp_passdb_previous", "username"), ("smtp_sender", "domain")],
)
def test_mail_role_looks_names_up_by_index(as_mail_server, credential, view, name):
    plan = as_mail_server.execute(f"EXPLAIN SELECT * FROM {view} WHERE {name} = 'x'").fetchall()
    assert "Index Scan" in str(plan) and "Seq Scan" not in str(plan) and "Hash" not in str(plan)


def test_mail_role_is_denied_every_table(as_mail_server, credential):
    tables = connection.introspection.table_names()
    assert {"credentials_credential", "accounts_user", "audit_event"} <= set(tables)
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
