# ruff: noqa: S608  (names of tables, from the schema)
"""SQLite: the backup holds a whole database file, a copy made within one read transaction.

Its rows are put back, in tables that our migrations make, through the live database's own file and
inside one transaction: servers that have it open go on with it, and see all of the old or all of the
new. Nothing else of the copy is believed (stored.py).
"""

import sqlite3
import tempfile
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from django.db import connection
from django.utils import timezone

from operations.backups import TRANSIENT, schema, stored
from operations.backups.archive import unpack
from operations.backups.manifest import describe, write_manifest

MEMBER = "database.sqlite3"
NAMES = "SELECT name FROM {}.sqlite_master WHERE type = %s AND substr(name, 1, 7) <> 'sqlite_'"


def dump(archive, folder) -> dict:
    """Put a snapshot into an archive; `folder` has room for it. Return its manifest."""
    taken_at = timezone.now()
    # A folder of its own keeps the copy and SQLite's files beside it from everybody else.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as place:
        copy = Path(place) / MEMBER
        with connection.cursor() as cursor:
            # Unlike a copy of its pages it leaves out the remains of what was deleted.
            cursor.execute("VACUUM INTO %s", [str(copy)])
        with closing(sqlite3.connect(copy, isolation_level=None)) as database:
            manifest = _without_transient(database, taken_at)
        archive.write(copy, MEMBER)
    write_manifest(archive, manifest)
    return manifest


def _without_transient(database, taken_at) -> dict:
    def ask(sql, *params):
        return database.execute(sql.replace("%s", "?"), params).fetchall()

    tables = [name for (name,) in ask(NAMES.format("main"), "table")]
    database.execute("PRAGMA secure_delete = ON")
    for table in set(TRANSIENT) & set(tables):
        database.execute(f'DELETE FROM "{table}"')
    return describe(ask, tables, taken_at)


@contextmanager
def loading(archive, manifest):
    """Yield a function that, called inside a transaction, replaces everything by what the archive holds.

    It returns the tables that it left alone. Raises Refused.
    """
    beside = Path(connection.settings_dict["NAME"]).parent
    with tempfile.TemporaryDirectory(dir=beside, prefix=".restore-") as place:
        unpack(archive, MEMBER, path := Path(place) / MEMBER)
        with stored.opened(path) as found:
            wanted = schema.tables(manifest["migrations"])
            left = schema.compare(found.tables(wanted), wanted)
            # It can't be done inside the transaction; migrations need it off as well.
            connection.disable_constraint_checking()
            try:
                yield partial(_load, found, manifest["migrations"], wanted, left)
            finally:
                connection.enable_constraint_checking()


def lock(cursor) -> None:
    """Nothing to do: the transaction is IMMEDIATE, so nobody else writes."""


def _load(found, migrations, tables, left) -> list[str]:
    with connection.cursor() as cursor:
        # Made anew, so that no trigger, view or index of another origin outlives a restore.
        for kind in ("trigger", "view", "table"):
            cursor.execute(NAMES.format("main"), [kind])
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP {kind} "{name}"')
        schema.make(migrations)
        for table in tables:
            cursor.execute(f'DELETE FROM main."{table}"')  # rows that a migration made
        for table, columns in tables.items():
            listed, places = ", ".join(f'"{column}"' for column in columns), ", ".join(["%s"] * len(columns))
            for rows in found.rows(table, columns):
                cursor.executemany(f'INSERT INTO main."{table}" ({listed}) VALUES ({places})', rows)
        # So that no primary key is ever given twice.
        for table, last in found.sequences():
            if table in tables:
                cursor.execute("DELETE FROM main.sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO main.sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
    connection.check_constraints()
    return left
