# ruff: noqa: S608  (names of tables and columns, from our migrations)
"""Reads rows from a SQLite file that may be anybody's, and runs nothing that stands in it.

By a connection of its own, after SQLite's advice for such files (https://sqlite.org/security.html):
views, triggers, virtual tables, generated columns and the functions of the file's schema are never asked,
only columns of plain tables. What is a table there, and what are its columns, is asked before.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from operations.backups import Refused, first_line

SAFE = ("query_only = ON", "trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0")
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 64 << 20,  # bytes of a row
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
PRAGMAS = {"quick_check", "table_list", "table_xinfo"}
# Of the CHECKs that quick_check tries: Django's JSON columns have this one.
FUNCTIONS = {"json_valid"}
SEQUENCES, SEQUENCE_COLUMNS = "sqlite_sequence", ["name", "seq"]
# Of table_xinfo. What is hidden is generated, or of a virtual table.
NAME, HIDDEN, PLAIN = 1, 6, 0
AT_ONCE = 1000
DAMAGED = "The database in it is damaged, or none of SendLayer's"


class Stored:
    """The rows of such a file."""

    def __init__(self, database):
        self._database = database

    def tables(self, wanted) -> dict[str, list[str]]:
        """The plain tables: their columns where they are wanted, nothing of the others."""
        rows = self._database.execute("PRAGMA main.table_list").fetchall()
        plain = {name for schema, name, kind, *_ in rows if schema == "main" and kind == "table"}
        if SEQUENCES not in plain or self._columns(SEQUENCES) != SEQUENCE_COLUMNS:
            raise Refused(f"{DAMAGED}: it lacks {SEQUENCES}.")
        ours = [name for name in plain if not name.startswith("sqlite_")]
        return {name: self._columns(name) if name in wanted else [] for name in ours}

    def _columns(self, table) -> list[str]:
        rows = self._database.execute(f'PRAGMA main.table_xinfo("{table}")')
        return [row[NAME] for row in rows if row[HIDDEN] == PLAIN]

    def rows(self, table, columns) -> Iterator[list[tuple]]:
        """The rows of a table, many at once; `tables` has told that it has these columns."""
        listed = ", ".join(f'"{column}"' for column in columns)
        found = self._database.execute(f'SELECT {listed} FROM main."{table}"')
        while rows := found.fetchmany(AT_ONCE):
            if any(bytes in map(type, row) for row in rows):
                raise Refused(f"{DAMAGED}: {table} holds bytes where text or a number belongs.")
            yield rows

    def sequences(self) -> list[tuple[str, int]]:
        """Each table's largest primary key that was ever given."""
        rows = [row for rows in self.rows(SEQUENCES, SEQUENCE_COLUMNS) for row in rows]
        return [(name, last) for name, last in rows if isinstance(name, str) and isinstance(last, int)]


@contextmanager
def opened(path) -> Iterator[Stored]:
    """Open a file that was found sound. Raises Refused, also for what goes wrong within the block."""
    database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True, isolation_level=None)
    try:
        for kind, most in LIMITS.items():
            database.setlimit(kind, most)
        for pragma in SAFE:
            database.execute(f"PRAGMA {pragma}")
        database.set_authorizer(_authorize)
        _refuse_virtual_tables(database)
        if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise Refused(f"{DAMAGED}.")
        yield Stored(database)
    except sqlite3.Error as error:
        raise Refused(f"{DAMAGED}: {first_line(error)}.") from None
    finally:
        database.close()


def _refuse_virtual_tables(database) -> None:
    """Before the first statement that would have one connected: its module would be run with its arguments."""
    statements = database.execute("SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL")
    if any("virtual" in str(sql).lower() for (sql,) in statements):
        raise Refused(f"{DAMAGED}: it has a virtual table or column.")


def _authorize(action, first, second, _database, view_or_trigger) -> int:
    """What SQLite asks for each part of a statement before it runs: only reading of tables goes."""
    allowed = view_or_trigger is None and (
        action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
        or (action == sqlite3.SQLITE_PRAGMA and first in PRAGMAS)
        or (action == sqlite3.SQLITE_FUNCTION and second in FUNCTIONS)
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
