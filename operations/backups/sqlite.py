# ruff: noqa: S608  (names of tables and columns, from our migrations)
"""SQLite: the backup holds a whole database file, a copy made within one read transaction.

Its rows are loaded through the live database's own file and inside one transaction: servers that have it open
continue with it, and see all of the old or all of the new. Nothing else of the copy is used
(untrusted_sqlite.py).
"""

import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from django.db import connection
from django.utils import timezone

from operations.backups import schema, untrusted_sqlite
from operations.backups.archive import open_member
from operations.backups.manifest import describe, write_manifest

DATABASE_MEMBER = "database.sqlite3"
SCHEMA_NAMES = "SELECT name FROM sqlite_master WHERE type = '{}' AND substr(name, 1, 7) <> 'sqlite_'"


def dump(archive, folder) -> dict:
    """Write a snapshot into an archive; `folder` has room for it. Return its manifest."""
    taken_at = timezone.now()
    # A folder of its own keeps others from the copy and from the files that SQLite writes beside it.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as private:
        copy = Path(private) / DATABASE_MEMBER
        with connection.cursor() as cursor:
            # Unlike a copy of its pages it leaves out the remains of what was deleted.
            cursor.execute("VACUUM INTO %s", [str(copy)])
        with closing(sqlite3.connect(copy, isolation_level=None)) as database:
            tables = [name for (name,) in database.execute(SCHEMA_NAMES.format("table"))]
            database.execute("PRAGMA secure_delete = ON")
            for table in schema.TRANSIENT.intersection(tables):
                database.execute(f'DELETE FROM "{table}"')
            manifest = describe(lambda sql: database.execute(sql).fetchall(), tables, taken_at)
        archive.write(copy, DATABASE_MEMBER)
    write_manifest(archive, manifest)
    return manifest


@contextmanager
def opened(archive, manifest, wanted):
    """Yield the columns of each table in the archive, and a function that loads tables, which are empty.

    Raises BackupError.
    """
    folder = Path(connection.settings_dict["NAME"]).parent
    with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as private:
        path = Path(private) / DATABASE_MEMBER
        with open_member(archive, DATABASE_MEMBER) as member, open(path, "xb") as file:
            shutil.copyfileobj(member, file)
        with untrusted_sqlite.opened(path, wanted) as reader:
            yield reader.columns, partial(_load, reader)


def _load(reader, tables) -> None:
    with connection.cursor() as cursor:
        for table, columns in tables.items():
            names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
            for rows in reader.rows(table, columns):
                cursor.executemany(f'INSERT INTO main."{table}" ({names}) VALUES ({values})', rows)
        # No primary key is ever given twice.
        for table, last in reader.last_keys(tables):
            cursor.execute("DELETE FROM main.sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO main.sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])


def lock() -> None:
    """Nothing to do: the transaction is IMMEDIATE, so nobody else writes."""


lock_acts = lock


def drop_all() -> None:
    """Drop all tables and views."""
    with connection.cursor() as cursor:
        for kind in ("view", "table"):
            cursor.execute(SCHEMA_NAMES.format(kind))
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP {kind} "{name}"')
