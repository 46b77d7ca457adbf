# ruff: noqa: S608  (names of tables and columns, from our migrations)
"""Reads rows from a SQLite file that anybody may have written, and runs nothing in it.

With a connection of its own, as SQLite advises for such files (https://sqlite.org/security.html): no view,
trigger, virtual table or function of the file's schema is used, only columns of plain tables.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from operations.backups import BackupError, first_line

SAFE_PRAGMAS = (
    "query_only = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "mmap_size = 0",
    "ignore_check_constraints = ON",  # they may call functions; our own tables have them too
)
SIZE_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 64 << 20,  # bytes of a row
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
ROWS_PER_FETCH = 1000
DAMAGED = "The database in it is damaged, or not one of SendLayer"


class Reader:
    """The tables of such a file, with the columns of those that are `wanted`."""

    def __init__(self, database, wanted):
        self._database = database
        tables = database.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall()
        names = [name for (name,) in tables if not name.startswith("sqlite_")]
        self.columns = {name: self._columns(name) if name in wanted else [] for name in names}

    def _columns(self, table) -> list[str]:
        columns = self._database.execute(f'PRAGMA main.table_xinfo("{table}")')
        return [name for _number, name, *_more, hidden in columns if not hidden]  # as a generated one is

    def rows(self, table, columns) -> Iterator[list[tuple]]:
        """The rows of one of its tables, many at once."""
        names = ", ".join(f'"{column}"' for column in columns)
        found = self._database.execute(f'SELECT {names} FROM main."{table}"')
        while rows := found.fetchmany(ROWS_PER_FETCH):
            if any(bytes in map(type, row) for row in rows):
                raise BackupError(f"{DAMAGED}: {table} holds bytes where text or a number belongs.")
            yield rows

    def last_keys(self, tables) -> list[tuple[str, int]]:
        """The largest primary key that each of these tables ever had."""
        found = [row for rows in self.rows("sqlite_sequence", ("name", "seq")) for row in rows]
        return [(name, last) for name, last in found if name in tables and isinstance(last, int)]


@contextmanager
def opened(path, wanted) -> Iterator[Reader]:
    """Open a file and check it. Raises BackupError, also for what goes wrong within the block."""
    database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True, isolation_level=None)
    try:
        for kind, most in SIZE_LIMITS.items():
            database.setlimit(kind, most)
        for pragma in SAFE_PRAGMAS:
            database.execute(f"PRAGMA {pragma}")
        database.set_authorizer(_authorize)
        # Before a statement connects a virtual table, and so runs its module with its arguments.
        schema = database.execute("SELECT sql FROM main.sqlite_master")
        if any("virtual" in str(sql).lower() for (sql,) in schema):
            raise BackupError(f"{DAMAGED}: it has a virtual table or column.")
        if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise BackupError(f"{DAMAGED}.")
        yield Reader(database, wanted)
    except sqlite3.Error as error:
        raise BackupError(f"{DAMAGED}: {first_line(error)}.") from None
    finally:
        database.close()


def _authorize(action, first, _second, _database, view_or_trigger) -> int:
    """Allow the reading of tables only; SQLite asks for each part of a statement before it runs."""
    allowed = view_or_trigger is None and (
        action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
        or (action == sqlite3.SQLITE_PRAGMA and first in ("quick_check", "table_xinfo"))
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
