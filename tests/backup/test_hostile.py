"""A file that somebody changed: nothing in it is run here, and only known rows are loaded.

All of them have a matching SHA-256, and are restored with --unauthenticated: the file then decides what
people and passwords there are, but may run nothing.
"""

import base64
import pickle
import random
import sqlite3
import zipfile

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from credentials.models import Credential
from operations.backups import BackupError, archive, schema, untrusted_sqlite
from tests.backup import forging
from tests.backup.conftest import digest
from tests.backup.forging import DATABASE, forged, forged_database, written
from tests.factories import make_credential
from tests.sendlayer.test_plain_values import Order

pytestmark = pytest.mark.django_db(transaction=True)

FAR = "9999-01-01 00:00:00"


@pytest.fixture
def path(domain, backup):
    make_credential(domain)
    return backup()


@pytest.fixture
def load(restore):
    """Restore an unauthenticated file; return the output."""
    return lambda path: restore(path, unauthenticated=True)


def assert_refused(path, match):
    before = digest()
    with pytest.raises(CommandError, match=match) as error:
        call_command("restore", path, replace=True, yes=True, unauthenticated=True)
    assert str(error.value).endswith("Nothing was changed.") or "Nothing was changed: " in str(error.value)
    assert len(str(error.value)) < 600
    assert digest() == before


def ask(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall()


def made_here() -> set:
    """Every table, index, view and trigger of the database."""
    if connection.vendor == "sqlite":
        return set(ask("SELECT type, name, tbl_name, sql FROM sqlite_master"))
    return set(
        ask("SELECT relkind::text, relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace")
    )


def order_for(tmp_path) -> str:
    return base64.b64encode(pickle.dumps(Order(tmp_path / "made"))).decode()


# --- both kinds of database -----------------------------------------------------------------


def with_rows(path, tables: dict):
    """A backup with these rows, table → {column: text}, added."""
    if connection.vendor == "sqlite":
        return forged_database(path, *(_insert(table, row) for table, row in tables.items()))
    columns = forging.manifest(path)["columns"] | {table: list(row) for table, row in tables.items()}

    def change(held):
        for table, row in tables.items():
            held[f"tables/{table}.copy"] = ("\t".join(row.values()) + "\n").encode()

    return forged(path, change, columns=columns)


def _insert(table, row) -> str:
    values = ", ".join(f"'{value}'" for value in row.values())
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"  # noqa: S608


def test_cache_and_session_rows_are_not_loaded(path, load, tmp_path, client):
    """A cached value is a pickle; a session is a sign-in."""
    rows = {
        "sendlayer_cache": {"cache_key": ":1:ready", "value": order_for(tmp_path), "expires": FAR},
        "django_session": {"session_key": "s" * 32, "session_data": "x", "expire_date": FAR},
    }
    load(with_rows(path, rows))
    assert ask("SELECT * FROM sendlayer_cache") == [] and not Session.objects.exists()
    assert client.get("/readyz").status_code == 200
    assert not (tmp_path / "made").exists()


def test_migration_records_are_not_loaded(path, load):
    """It could let one be skipped at the next upgrade."""
    row = {"id": "9999", "app": "credentials", "name": "0999_later", "applied": FAR}
    load(with_rows(path, {"django_migrations": row}))
    assert ask("SELECT * FROM django_migrations WHERE name = '0999_later'") == []
    call_command("migrate", check_unapplied=True, verbosity=0)


def test_unknown_table_is_ignored_and_named(path, load):
    if connection.vendor == "sqlite":
        changed = forged_database(
            path,
            "CREATE TABLE wiki_page (id int)",
            "INSERT INTO wiki_page VALUES (1)",
            'CREATE TABLE "wiki\n\x1b[31m" (id int)',
        )
    else:
        columns = forging.manifest(path)["columns"] | {"wiki_page": ["id"]}
        changed = forged(path, lambda held: held.update({"tables/wiki_page.copy": b"1\n"}), columns=columns)
    before = made_here()
    output = load(changed)
    assert "Not restored, since its version has no such tables:\n" in output and "  wiki_page\n" in output
    assert "\x1b" not in output  # the output is for a terminal
    assert made_here() == before
    assert Credential.objects.count() == 1


def test_restore_leaves_only_what_migrations_create(path, load):
    before = made_here()
    load(path)
    assert made_here() == before


def test_expected_tables_match_the_database():
    """The tables to be loaded come from the migrations: none of ours is missing there."""
    migrations = ask("SELECT app, name FROM django_migrations")
    with connection.cursor() as cursor:
        names = set(connection.introspection.table_names(cursor)) - schema.NEVER_LOADED
        columns = {
            name: {column.name for column in connection.introspection.get_table_description(cursor, name)}
            for name in names
        }
    assert {name: set(found) for name, found in schema.created_by(migrations).items()} == columns


ODD = [
    {"format": True},
    {"format": 0},
    {"format": "2"},
    {"database": "sqlite; DROP"},
    {"database": ["sqlite"]},
    {"taken_at": "2026-01-01T00:00:00"},
    {"taken_at": "x" * 10_000},
    {"taken_at": None},
    {"migrations": None},
    {"migrations": [["credentials"]]},
    {"migrations": [["credentials", {"x": 1}]]},
    {"migrations": [["credentials", "\x1b[31m"]]},
    {"migrations": [["x", "y"]] * 10_001},
    {"keys": ["k1\nk2"]},
    {"keys": "k1"},
    {"newest_event": ["1; DROP", "x", "y"]},
    {"newest_event": ["9" * 19, "x", "y"]},
    {"newest_event": [1, 2, 3]},
    {"counts": {"audit_event": -1}},
    {"counts": {"audit_event": 1.5}},
    {"counts": {'x"; DROP TABLE y; --': 1}},
    {"columns": {"audit_event": "id"}},
    {"sequences": {"x": 2**63}},
    {"sequences": {"x": "1; DROP TABLE y"}},
    {"surprise": 1},
]


@pytest.mark.one_database
def test_malformed_manifest_is_refused(path):
    for change in ODD:
        assert_refused(forged(path, **change), "Its manifest is not one that `backup` writes")


@pytest.mark.one_database
def test_manifest_that_is_no_object_is_refused(path):
    for text in (b"", b"[]", b"1", b"{", b"[" * 100_000, b"\xff\xfe", b'{"format": 1e999}'):
        held = forging.members(path) | {archive.MANIFEST: text}
        assert_refused(written(path, held.items()), "Its manifest is n")


@pytest.mark.one_database
def test_manifest_without_migrations_is_refused(path):
    assert_refused(forged(path, migrations=[]), "names no migration that creates a table")


# --- the archive ------------------------------------------------------------------------------

OUTSIDE = ["../../outside", "/etc/outside", "tables/../x.copy", "x.py", "tables/a b.copy", "TABLES/x.copy"]


@pytest.mark.one_database
def test_unknown_zip_member_is_refused(path):
    for name in OUTSIDE:
        changed = written(path, [*forging.members(path).items(), (name, b"x")])
        assert_refused(changed, "is not a member of one")


@pytest.mark.one_database
def test_duplicate_zip_members_are_refused(path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        changed = written(path, [*forging.members(path).items(), (archive.MANIFEST, b"{}")])
    assert_refused(changed, "not named once each")


@pytest.mark.one_database
def test_backup_without_manifest_is_refused(path):
    held = forging.members(path)
    del held[archive.MANIFEST]
    assert_refused(written(path, held.items()), "not named once each")


@pytest.mark.one_database
def test_zip_bomb_is_refused_before_unpacking(path):
    held = forging.members(path)
    held["tables/zeros.copy"] = bytes(100 << 20)
    assert_refused(written(path, held.items()), "Unpacked it would be 10[0-9]{7} bytes large")
    held = forging.members(path) | {archive.MANIFEST: b" " * (5 << 20)}
    assert_refused(written(path, held.items()), "Unpacked it would be")


@pytest.mark.one_database
def test_other_zip_compression_is_refused(path):
    target = path.with_name("forged.zip")
    with archive.create(target, key_id="") as made:
        for name, text in forging.members(path).items():
            made.writestr(name, text, zipfile.ZIP_LZMA)
    assert_refused(target, "is not packed as `backup` does it")


@pytest.mark.one_database
def test_random_changes_to_zip_are_refused_or_harmless(path):
    """200 files with a few bytes changed anywhere, and a matching SHA-256."""
    raw, chance = forged(path).read_bytes(), random.Random(7)  # noqa: S311
    for _ in range(200):
        changed = bytearray(raw)
        for _ in range(chance.randint(1, 4)):
            # More often where the structure is.
            place = chance.choice([chance.randrange(len(raw)), len(raw) - chance.randint(72, 2000)])
            changed[place] = chance.randrange(256)
        path.write_bytes(forging.resigned(bytes(changed)))
        try:
            with archive.read(path, unauthenticated=True) as (file, _manifest, _doubt):
                for name in file.namelist():
                    with archive.open_member(file, name) as member:
                        member.read()
        except (BackupError, OSError):  # of both the command makes one line
            pass


# --- SQLite -------------------------------------------------------------------------------------

HARMLESS = [
    "CREATE TRIGGER evil_1 AFTER INSERT ON audit_event BEGIN UPDATE accounts_user SET is_superuser = 1; END",
    "CREATE TRIGGER evil_2 AFTER UPDATE ON accounts_user BEGIN DELETE FROM audit_event; END",
    "CREATE VIEW evil_3 AS SELECT * FROM accounts_user",
    "CREATE VIEW evil_4 AS SELECT load_extension('/tmp/evil.so')",
    "CREATE INDEX evil_5 ON accounts_user (email, name)",
    "CREATE INDEX evil_6 ON accounts_user (lower(email))",
    "CREATE TABLE evil_7 (id int CHECK (id > 0))",
]


@pytest.mark.sqlite
def test_sqlite_schema_objects_of_the_file_are_not_created(path, load):
    before = made_here()
    load(forged_database(path, *HARMLESS))
    assert made_here() == before
    assert not User.objects.filter(is_superuser=True).exists() and ask("SELECT count(*) FROM audit_event")[0][0]


@pytest.mark.sqlite
def test_changed_sqlite_view_is_not_restored(path, load):
    before = made_here()
    everybody = "CREATE VIEW smtp_passdb AS SELECT username, '' AS verifier FROM credentials_credential"
    load(forged_database(path, "DROP VIEW smtp_passdb", everybody))
    assert made_here() == before


def instead(table, made) -> list[str]:
    return [f"ALTER TABLE {table} RENAME TO kept", made]


REFUSED = [
    (
        instead("accounts_letter", "CREATE VIEW accounts_letter AS SELECT * FROM kept"),
        "lacks what its version has: accounts_letter",
    ),
    (["CREATE VIRTUAL TABLE evil USING fts4(x)"], "has a virtual table or column"),
    (["CREATE/**/VIRTUAL TABLE evil USING fts4(x)"], "has a virtual table or column"),
    (["ALTER TABLE accounts_user ADD evil text AS (hex(name)) VIRTUAL"], "has a virtual table or column"),
    (["ALTER TABLE accounts_user ADD evil text"], "columns that its version does not have: accounts_user.evil"),
    (['ALTER TABLE accounts_user ADD "x) VALUES (1); --" text'], "columns that its version does not have"),
    (["ALTER TABLE accounts_user DROP COLUMN name"], "lacks what its version has: accounts_user.name"),
    (
        ["ALTER TABLE accounts_user DROP COLUMN name", "ALTER TABLE accounts_user ADD name AS (hex(email))"],
        "lacks what its version has: accounts_user.name",
    ),
    (["DROP TABLE audit_event"], "lacks what its version has: audit_event"),
    (["UPDATE accounts_user SET name = x'8004'"], "holds bytes where text or a number belongs"),
    (["UPDATE accounts_user SET name = CAST(x'ff' AS text)"], "Could not decode"),
    (["UPDATE domains_membership SET user_id = 99 WHERE role = 'viewer'"], "domains_membership"),
    (
        ["PRAGMA ignore_check_constraints = ON", "UPDATE audit_event SET data = 'no json'"],
        "damaged|CHECK constraint",
    ),
]


@pytest.mark.sqlite
def test_altered_sqlite_schema_or_values_are_refused(path):
    for statements, match in REFUSED:
        assert_refused(forged_database(path, *statements), match)


@pytest.mark.sqlite
def test_sqlite_view_recorded_as_table_is_refused(path):
    record = "UPDATE sqlite_master SET type = 'table', rootpage = 2 WHERE name = 'accounts_letter'"
    statements = instead("accounts_letter", "CREATE VIEW accounts_letter AS SELECT * FROM kept")
    assert_refused(
        forged_database(path, *statements, "PRAGMA writable_schema = ON", record), "damaged|lacks what"
    )


@pytest.mark.sqlite
def test_sqlite_sequences_of_other_tables_or_types_are_ignored(path, load):
    statements = [
        "INSERT INTO sqlite_sequence VALUES ('wiki_page', 7)",
        "UPDATE sqlite_sequence SET seq = 'x' WHERE name = 'accounts_user'",
    ]
    load(forged_database(path, *statements))
    assert ask("SELECT * FROM sqlite_sequence WHERE name = 'wiki_page' OR typeof(seq) <> 'integer'") == []
    assert User.objects.create(email="new@example.com").pk > 2


@pytest.mark.sqlite
def test_sqlite_reader_reads_only_columns_of_tables(path, tmp_path):
    place = tmp_path / "stored.sqlite3"
    place.write_bytes(
        forging.altered(path, forging.members(path)[DATABASE], ["CREATE VIEW v AS SELECT 1 AS x"])
    )
    with untrusted_sqlite.opened(place, ["accounts_user"]) as found:
        for statement in (
            "SELECT x FROM v",
            "SELECT hex(name) FROM accounts_user",
            "PRAGMA query_only = OFF",
            "DELETE FROM accounts_user",
            "ATTACH ':memory:' AS other",
            "SELECT load_extension('x')",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n",
        ):
            with pytest.raises(sqlite3.DatabaseError):
                found._database.execute(statement).fetchall()
        assert found._database.execute("SELECT name FROM accounts_user").fetchall()


@pytest.mark.sqlite
def test_file_that_is_no_sqlite_database_is_refused(path):
    for raw in (b"", b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 5000):
        assert_refused(forged(path, lambda held, raw=raw: held.update({DATABASE: raw})), "damaged|lacks")
    assert_refused(forged(path, lambda held: held.pop(DATABASE)), "lacks")


# --- PostgreSQL ---------------------------------------------------------------------------------

INJECTED = "id\") FROM PROGRAM 'touch /tmp/evil'; --"


def with_columns(path, **changes):
    return forged(path, columns=forging.manifest(path)["columns"] | changes)


@pytest.mark.postgresql
def test_sql_in_names_of_the_manifest_is_refused(path):
    assert_refused(with_columns(path, accounts_user=[INJECTED]), "'columns' is wrong")
    assert_refused(with_columns(path, **{INJECTED: ["id"]}), "'columns' is wrong")
    assert_refused(forged(path, sequences={INJECTED: 1}), "'sequences' is wrong")


@pytest.mark.postgresql
def test_copy_columns_must_be_those_of_the_version(path):
    columns = forging.manifest(path)["columns"]["accounts_user"]
    assert_refused(with_columns(path, accounts_user=[*columns, "evil"]), "does not have: accounts_user.evil")
    assert_refused(with_columns(path, accounts_user=[*columns, "email"]), "does not have: accounts_user")
    assert_refused(
        with_columns(path, accounts_user=columns[1:]), "lacks what its version has: accounts_user.id"
    )
    every = forging.manifest(path)["columns"]
    del every["audit_event"]
    assert_refused(forged(path, columns=every), "lacks what its version has: audit_event")


@pytest.mark.postgresql
def test_missing_rows_or_sequences_are_refused_and_other_sequences_kept(path, load):
    assert_refused(
        forged(path, lambda held: held.pop("tables/audit_event.copy")),
        "lacks .*: tables/audit_event.copy",
    )
    sequences = forging.manifest(path)["sequences"]
    assert_refused(forged(path, sequences={}), "lacks what its version has")
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE elsewhere RESTART")
    try:
        load(forged(path, sequences=sequences | {"elsewhere": 99}))
        assert ask("SELECT last_value FROM elsewhere") == [(1,)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SEQUENCE elsewhere")


@pytest.mark.postgresql
def test_malformed_copy_rows_are_refused(path):
    for rows in (b"x\n", b"1\t2\n", b"\\.\nDROP TABLE audit_event;\n", b"\xff\n", b"1\0\n"):
        changed = forged(path, lambda held, rows=rows: held.update({"tables/accounts_user.copy": rows}))
        assert_refused(changed, "^Nothing was changed: ")
