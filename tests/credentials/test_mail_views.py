"""The SQL views list exactly what Credential.outcome accepts, on the database of the run."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from credentials.models import Credential
from credentials.outcome import Outcome
from domains.models import Domain
from tests.factories import SYSTEM, make_credential, make_domain, make_user

HOUR = timedelta(hours=1)


def rows(view, columns="username"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {view} ORDER BY {columns}")  # noqa: S608
        return cursor.fetchall()


@pytest.mark.django_db
def test_mail_views_have_what_mail_servers_query(domain):
    plain, narrow = make_credential(domain), make_credential(domain)
    narrow.set_networks("2001:db8::/32, 192.0.2.7", by=SYSTEM)
    columns = "username, verifier, allow_nets, sasl_username"
    assert rows("smtp_passdb", columns) == sorted(
        [
            (plain.username, plain.verifier, None, f"{plain.username}.1"),
            (narrow.username, narrow.verifier, "2001:db8::/32,192.0.2.7", f"{narrow.username}.1"),
        ]
    )
    assert rows("smtp_sender", "domain, username, sasl_username") == [
        ("sl.example.com", name, f"{name}.1") for name in sorted([plain.username, narrow.username])
    ]
    assert rows("smtp_passdb_previous") == []


@pytest.mark.django_db
@pytest.mark.parametrize("suspended", [None, -HOUR])
@pytest.mark.parametrize("expires", [None, -HOUR, timedelta(milliseconds=-2), HOUR, timedelta(days=400)])
@pytest.mark.parametrize("authorized", [None, -HOUR])
@pytest.mark.parametrize("domain_suspended", [None, -HOUR])
def test_mail_views_agree_with_the_model(domain, suspended, expires, authorized, domain_suspended):
    now = timezone.now()

    def moment(offset):
        return offset and now + offset

    credential = make_credential(domain, suspended_at=moment(suspended), expires_at=moment(expires))
    Credential.objects.update(previous_verifier="{SSHA512}x", previous_valid_until=now + HOUR)
    Domain.objects.update(authorized_at=moment(authorized), suspended_at=moment(domain_suspended))
    credential.refresh_from_db()
    listed = [(credential.username,)] if credential.outcome(now) is Outcome.ACCEPTED else []
    assert rows("smtp_passdb") == rows("smtp_passdb_previous") == listed
    assert rows("smtp_sender") == listed * 3


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 1000, 999_999])
def test_mail_views_drop_a_credential_at_its_expiry(domain, microsecond):
    """SQLite compares text, and Django leaves microseconds out when there are none."""
    past = timezone.now().replace(microsecond=microsecond) - timedelta(seconds=1)
    make_credential(domain, expires_at=past)
    alive = make_credential(domain, expires_at=past + timedelta(seconds=30))
    assert rows("smtp_passdb") == [(alive.username,)]


@pytest.mark.django_db
def test_mail_views_list_the_old_password_until_the_grace_period_ends(credential):
    old = credential.verifier
    credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    name = credential.username
    columns = "username, verifier, sasl_username"
    assert rows("smtp_passdb_previous", columns) == [(name, old, f"{name}.1.previous")]
    assert rows("smtp_sender", "sasl_username") == [
        (f"{name}.1",),
        (f"{name}.1.previous",),
        (f"{name}.2",),
    ]
    # SQLite's clock here counts milliseconds.
    Credential.objects.update(previous_valid_until=timezone.now() - timedelta(milliseconds=2))
    assert rows("smtp_passdb_previous") == []
    assert rows("smtp_sender", "sasl_username") == [(f"{name}.2",)]


@pytest.mark.django_db
def test_reset_without_a_grace_period_removes_the_old_password_from_the_views(credential):
    credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    credential.reset_password(by=SYSTEM)
    credential.refresh_from_db()
    assert (credential.previous_verifier, credential.previous_valid_until) == ("", None)
    assert rows("smtp_passdb_previous") == []


@pytest.mark.django_db
def test_the_lookups_of_a_login_go_by_an_index(credential):
    make_credential(make_domain("other.example.com", owner=make_user("dave@example.com")))
    for view, column in (
        ("smtp_passdb", "username"),
        ("smtp_passdb_previous", "username"),
        ("smtp_sender", "domain"),
    ):
        plan = explain(f"SELECT * FROM {view} WHERE {column} = 'X'")  # noqa: S608
        assert "scan c" not in plan.lower() and "Seq Scan" not in plan, plan


def explain(query):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # a handful of rows is not worth an index
            cursor.execute(f"EXPLAIN {query}")
            return "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        return "\n".join(row[3] for row in cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_the_migration_goes_back_and_forth(db):
    try:
        call_command("migrate", "credentials", "0002", verbosity=0)
        with connection.cursor() as cursor:
            names = {table.name for table in connection.introspection.get_table_list(cursor)}
        assert not {"smtp_passdb", "smtp_passdb_previous", "smtp_sender"} & names
    finally:
        call_command("migrate", "credentials", verbosity=0)
    assert rows("smtp_passdb") == []


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_functions_go_back_to_those_of_the_version_before(db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE reader")
    try:
        call_command("migrate", "credentials", "0016", verbosity=0)
        assert functions() == {"smtp_passdb_answer": False, "smtp_passdb_previous_answer": False}
        with connection.cursor() as cursor:
            cursor.execute("GRANT SELECT ON smtp_sender TO reader")
    finally:
        call_command("migrate", "credentials", verbosity=0)
    try:
        as_owner = dict.fromkeys(
            ("smtp_passdb_answer", "smtp_passdb_previous_answer", "smtp_sender_answer"), True
        )
        assert functions() == as_owner
        # Mail goes on until roles.sql runs.
        assert [functions(called_by=role) for role in ("reader", "pg_monitor")] == [as_owner, {}]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP OWNED BY reader; DROP ROLE reader")


def functions(called_by="postgres"):
    """The lookup functions that a role may call: whether each runs with its owner's rights."""
    asked = """SELECT proname, prosecdef FROM pg_proc
        WHERE proname LIKE 'smtp%%' AND has_function_privilege(%s, oid, 'EXECUTE')"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [called_by])
        return dict(cursor.fetchall())
