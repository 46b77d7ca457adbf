# ruff: noqa: S608  (names of tables and columns, from the catalogue)
"""PostgreSQL: the backup holds each table as COPY writes it, all of one snapshot.

Not pg_dump and pg_restore: they use a connection of their own, so what was revoked since the backup would work
until it is suspended; they have to be of the server's version; and pg_restore runs statements of the file.
COPY's text format is the same in all versions.
"""

import time
from contextlib import contextmanager
from functools import partial

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from audit import locks
from operations.backups import BackupError, schema
from operations.backups.archive import CHUNK_BYTES, open_member
from operations.backups.manifest import describe, write_manifest

# Less than deadlock_timeout's second: where others wait for us in a circle, we give way and none of them fails.
LOCK_ATTEMPT = "800ms"
LOCK_PAUSE_SECONDS = 0.2
LOCK_SECONDS = 30
# Of a sequence that was set and not used since, as after every restore, pg_sequences knows no last value.
LAST_VALUE = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {}"
# Except those of an extension.
FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
"""


def dump(archive, folder) -> dict:
    """Write a snapshot into an archive. Return its manifest."""
    taken_at, tables = timezone.now(), schema.tables()
    if not tables:
        raise BackupError("The database is empty: manage.py migrate creates its tables.")
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Before the first query takes the snapshot: to an older one a table would be empty after a TRUNCATE.
        cursor.execute(f"LOCK TABLE {_listed(tables)} IN ACCESS SHARE MODE")
        if schema.tables() != tables:
            raise BackupError(
                "Tables were created or dropped in the meantime, as a migration does. Try again after it."
            )

        def ask(sql):
            cursor.execute(sql)
            return cursor.fetchall()

        manifest = describe(ask, tables, taken_at)
        manifest["columns"] = {table: _columns(cursor, table) for table in manifest["counts"]}
        for table, columns in manifest["columns"].items():
            with (
                connection.wrap_database_errors,  # which Django's cursor does not do for a copy
                archive.open(_member(table), "w", force_zip64=True) as member,
                cursor.copy(f"COPY {quote(table)} ({_listed(columns)}) TO STDOUT") as rows,
            ):
                for block in rows:
                    member.write(block)
        # Sequences are not of the snapshot but newer, so they are never behind the rows.
        sequences = _sequences(cursor, manifest["counts"])
        manifest["sequences"] = {name: ask(LAST_VALUE.format(quote(name)))[0][0] for name in sequences}
    write_manifest(archive, manifest)
    return manifest


@contextmanager
def opened(archive, manifest, wanted):
    """Yield the columns of each table in the archive, and a function that loads tables, which are empty."""
    yield manifest.get("columns", {}), partial(_load, archive, manifest)


def _load(archive, manifest, tables) -> None:
    with connection.cursor() as cursor:
        found, wanted = manifest.get("sequences", {}), _sequences(cursor, tables)
        if missing := sorted(set(wanted) - set(found)):
            raise BackupError(f"It lacks what its version has: {', '.join(missing[:5])}.")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in tables:
            with (
                connection.wrap_database_errors,
                open_member(archive, _member(table)) as member,
                cursor.copy(f"COPY {quote(table)} ({_listed(manifest['columns'][table])}) FROM STDIN") as rows,
            ):
                while block := member.read(CHUNK_BYTES):
                    rows.write(block)
        # Not setval(), which a rollback does not undo.
        for name in wanted:
            cursor.execute(f"ALTER SEQUENCE {quote(name)} RESTART WITH {(found[name] or 0) + 1:d}")
        # Checks every foreign key now; until then no migration can alter a table.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ANALYZE")


def lock() -> None:
    """Lock all tables until the transaction ends: nothing is acknowledged that the restore would discard.

    Raises BackupError when others hold some of them for too long.
    """
    _lock(schema.tables(), "ACCESS EXCLUSIVE")


def lock_acts() -> None:
    """Let all acts wait until the transaction ends; whoever only reads, as mail servers do, goes on.

    Raises BackupError as `lock` does.
    """
    # Events are only ever added, and the dashboard's role may not lock them.
    _lock([table for tables in locks.ORDER for table in tables if table != "audit_event"], "EXCLUSIVE")


def _lock(tables, mode):
    # What transactions touch first is locked first: they then wait at their beginning, and hold nothing else.
    tables = sorted(tables, key=_lock_order)
    deadline = time.monotonic() + LOCK_SECONDS
    while tables:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                # Limits all locks together, which a lock_timeout does not.
                cursor.execute(f"SET LOCAL statement_timeout = '{LOCK_ATTEMPT}'")
                cursor.execute(f"LOCK TABLE {_listed(tables)} IN {mode} MODE")
                cursor.execute("SET LOCAL statement_timeout = 0")
            return
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise BackupError(f"Others hold the database: {str(error).strip()}.") from None
            time.sleep(LOCK_PAUSE_SECONDS)


def _lock_order(table) -> tuple:
    """As transactions lock; what is in no order goes before the events, with which nearly all of them end."""
    position = locks.position(table)
    return len(locks.ORDER) - 1.5 if position is None else position, table


def drop_all() -> None:
    """Drop all tables, and what depends on them."""
    with connection.cursor() as cursor:
        for table in schema.tables():
            cursor.execute(f"DROP TABLE {quote(table)} CASCADE")
        cursor.execute(FUNCTIONS)
        for (function,) in cursor.fetchall():
            cursor.execute(f"DROP ROUTINE {function} CASCADE")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no migration can alter a table with an unchecked row


def _columns(cursor, table) -> list[str]:
    return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def _sequences(cursor, tables) -> list[str]:
    """The sequences of the primary keys of these tables."""
    found = (connection.introspection.get_sequences(cursor, table) for table in tables)
    return [sequence["name"] for sequences in found for sequence in sequences]


def quote(name) -> str:
    return connection.ops.quote_name(name)


def _listed(names) -> str:
    return ", ".join(map(quote, names))


def _member(table) -> str:
    return f"tables/{table}.copy"
