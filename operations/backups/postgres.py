# ruff: noqa: S608  (names of tables and columns, from the catalogue)
"""PostgreSQL: the backup holds each table as COPY gives it, all of one snapshot.

Not pg_dump and pg_restore: those come in by a connection of their own, so that what was taken
away since the backup would work between the restoring and the suspending, and they have to be
of the server's version. COPY's text format is the same in all.
"""

import time
from contextlib import contextmanager
from functools import partial

from django.db import OperationalError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from audit import locks
from operations.backups import Refused, schema
from operations.backups.archive import CHUNK, open_member
from operations.backups.manifest import describe, write_manifest

# Less than deadlock_timeout's second: who waits for us in a circle is not told of a deadlock, we give way.
TRY_LOCKS_FOR = "800ms"
TRY_AGAIN_SECONDS = 0.2
LOCK_SECONDS = 30
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
COLUMNS = """
    SELECT attname FROM pg_attribute WHERE attrelid = quote_ident(%s)::regclass
    AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()"
# Those that make the primary keys of these tables.
SEQUENCES_OF = """
    SELECT s.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i')
    JOIN pg_class t ON t.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass
    WHERE s.relkind = 'S' AND s.relnamespace = current_schema()::regnamespace AND t.relname = ANY(%s)
"""
# Of one that was set and not asked since, as every restore leaves them, pg_sequences knows no last value.
LAST_VALUE = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {}"
WITH_TRIGGERS = """
    SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace
"""
# Those of an extension go with it, and are none of ours.
FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
"""


def dump(archive, folder) -> dict:
    """Put a snapshot into an archive. Return its manifest."""
    taken_at = timezone.now()
    with connection.cursor() as cursor:
        tables = _names(cursor, TABLES)
    if not tables:
        raise Refused("The database is empty: manage.py migrate makes its tables.")
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Before the snapshot, which the first question makes: in an older one a TRUNCATE left nothing.
        cursor.execute(f"LOCK TABLE {', '.join(map(quote, tables))} IN ACCESS SHARE MODE")
        if _names(cursor, TABLES) != tables:
            raise Refused("Tables were made or dropped meanwhile, as a migration does. Try again after it.")

        def ask(sql, *params):
            cursor.execute(sql, params or None)
            return cursor.fetchall()

        manifest = describe(ask, tables, taken_at)
        manifest["columns"] = {table: [name for (name,) in ask(COLUMNS, table)] for table in manifest["counts"]}
        for table, columns in manifest["columns"].items():
            with (
                connection.wrap_database_errors,  # which Django's cursor does not do for a copy
                archive.open(_member(table), "w", force_zip64=True) as member,
                cursor.copy(f"COPY {_with(table, columns)} TO STDOUT") as rows,
            ):
                for block in rows:
                    member.write(block)
        # Not of the snapshot, but later: so they are never behind the rows.
        manifest["sequences"] = {name: ask(LAST_VALUE.format(quote(name)))[0][0] for (name,) in ask(SEQUENCES)}
    write_manifest(archive, manifest)
    return manifest


@contextmanager
def loading(archive, manifest):
    """Yield a function that, called inside a transaction, replaces everything by what the archive holds.

    It returns the tables that it left alone. Raises Refused.
    """
    wanted = schema.tables(manifest["migrations"])
    left = schema.compare(manifest.get("columns", {}), wanted)
    with connection.cursor() as cursor:
        yield partial(_load, cursor, archive, manifest, wanted, left)


def lock(cursor) -> None:
    """Hold all tables until the transaction ends: nothing is acknowledged that the restoring would drop.

    Raises Refused when others hold some of them for too long.
    """
    # What transactions touch first is held first: they then wait at their beginning, and hold nothing else.
    tables = sorted(_names(cursor, TABLES), key=_order)
    deadline = time.monotonic() + LOCK_SECONDS
    while tables:
        try:
            with transaction.atomic():
                # Of all locks together, which a lock_timeout is not.
                cursor.execute(f"SET LOCAL statement_timeout = '{TRY_LOCKS_FOR}'")
                cursor.execute(f"LOCK TABLE {', '.join(map(quote, tables))} IN ACCESS EXCLUSIVE MODE")
                cursor.execute("SET LOCAL statement_timeout = 0")
            return
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise Refused(f"Others hold the database: {str(error).strip()}.") from None
            time.sleep(TRY_AGAIN_SECONDS)


def _order(table) -> tuple:
    """As transactions lock, and what is in no order before the events, with which nearly all of them end."""
    place = locks.place(table)
    return len(locks.ORDER) - 1.5 if place is None else place, table


def _load(cursor, archive, manifest, wanted, left) -> list[str]:
    recorded = set(map(tuple, manifest["migrations"]))
    # Where the tables are as they were, they stay, and with them what other roles were granted.
    if set(MigrationRecorder(connection).applied_migrations()) != recorded:
        _make_anew(cursor, recorded)
    sequences = _sequences(cursor, manifest, wanted)
    triggered = _names(cursor, WITH_TRIGGERS)
    for table in triggered:
        cursor.execute(f"ALTER TABLE {quote(table)} DISABLE TRIGGER USER")
    emptied = [table for table in _names(cursor, TABLES) if table != schema.MIGRATIONS]
    cursor.execute(f"TRUNCATE {', '.join(map(quote, emptied))}")
    for table in wanted:
        _copy(cursor, archive, table, manifest["columns"][table])
    # Not setval(), which a rollback does not take back.
    for name, last in sequences.items():
        cursor.execute(f"ALTER SEQUENCE {quote(name)} RESTART WITH {(last or 0) + 1:d}")
    # Checks every foreign key now; no migration can alter a table while that is open.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in triggered:
        cursor.execute(f"ALTER TABLE {quote(table)} ENABLE TRIGGER USER")
    cursor.execute("ANALYZE")
    return left


def _sequences(cursor, manifest, tables) -> dict[str, int | None]:
    """What the sequences of the loaded tables go on from. Raises Refused when the manifest lacks one."""
    wanted = set(_names(cursor, SEQUENCES_OF, list(tables)))
    found = manifest.get("sequences", {})
    if lacking := sorted(wanted - set(found)):
        raise Refused(f"It lacks what its version has: {', '.join(lacking[:5])}.")
    return {name: found[name] for name in wanted}


def _copy(cursor, archive, table, columns):
    """Load one table; the names are ones that our migrations make (schema.compare)."""
    with (
        connection.wrap_database_errors,
        open_member(archive, _member(table)) as member,
        cursor.copy(f"COPY {_with(table, columns)} FROM STDIN") as rows,
    ):
        while block := member.read(CHUNK):
            rows.write(block)


def _make_anew(cursor, migrations):
    """Leave only the empty tables that these migrations make."""
    for table in _names(cursor, TABLES):
        cursor.execute(f"DROP TABLE {quote(table)} CASCADE")
    for function in _names(cursor, FUNCTIONS):
        cursor.execute(f"DROP ROUTINE {function} CASCADE")
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    schema.make(migrations)
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def quote(name) -> str:
    return connection.ops.quote_name(name)


def _names(cursor, sql, *params) -> list[str]:
    cursor.execute(sql, params or None)
    return [name for (name,) in cursor.fetchall()]


def _member(table) -> str:
    return f"tables/{table}.copy"


def _with(table, columns) -> str:
    return f"{quote(table)} ({', '.join(map(quote, columns))})"
