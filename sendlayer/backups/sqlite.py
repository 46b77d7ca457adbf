# ruff: noqa: S608  (names of tables, from the schema)
"""SQLite: the backup holds a whole database file, a copy made within one read transaction.

It is put back by SQL, through the live database's own file and inside one transaction: servers
that have it open go on with it, and see all of the old or all of the new.
"""

import sqlite3
import tempfile
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from django.db import connection
from django.utils import timezone

from sendlayer.backups import TRANSIENT, Refused
from sendlayer.backups.archive import write_manifest
from sendlayer.backups.manifest import describe

MEMBER = "database.sqlite3"
NAMES = "SELECT name FROM {}.sqlite_master WHERE type = %s AND substr(name, 1, 7) <> 'sqlite_'"
MADE_BY = (
    "SELECT sql FROM backup.sqlite_master WHERE type IN ({}) AND sql IS NOT NULL AND name <> 'sqlite_sequence'"
)


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
    """Yield a function that, called inside a transaction, replaces everything by what the archive holds."""
    beside = Path(connection.settings_dict["NAME"]).parent
    with tempfile.TemporaryDirectory(dir=beside, prefix=".restore-") as place, connection.cursor() as cursor:
        cursor.execute("ATTACH DATABASE %s AS backup", [archive.extract(MEMBER, place)])
        # Neither can be done inside the transaction; migrations need it off as well.
        connection.disable_constraint_checking()
        try:
            cursor.execute("PRAGMA backup.integrity_check")
            if cursor.fetchone()[0] != "ok":
                raise Refused("The database in it is damaged.")
            yield partial(_load, cursor)
        finally:
            connection.enable_constraint_checking()
            cursor.execute("DETACH DATABASE backup")


def lock(cursor) -> None:
    """Nothing to do: the transaction is IMMEDIATE, so nobody else writes."""


def _load(cursor):
    for kind in ("trigger", "view", "table"):
        for name in _ask(cursor, NAMES.format("main"), kind):
            cursor.execute(f'DROP {kind} "{name}"')
    for statement in _ask(cursor, MADE_BY.format("'table'")):
        cursor.execute(statement)
    for name in _ask(cursor, NAMES.format("backup"), "table"):
        cursor.execute(f'INSERT INTO main."{name}" SELECT * FROM backup."{name}"')
    # So that no primary key is ever given twice.
    cursor.execute("DELETE FROM main.sqlite_sequence")
    cursor.execute("INSERT INTO main.sqlite_sequence SELECT * FROM backup.sqlite_sequence")
    for statement in _ask(cursor, MADE_BY.format("'index', 'view', 'trigger'")):
        cursor.execute(statement)
    connection.check_constraints()


def _ask(cursor, sql, *params) -> list[str]:
    cursor.execute(sql, params or None)
    return [value for (value,) in cursor.fetchall()]
