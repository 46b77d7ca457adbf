"""Files that other users of this machine can't read, with any umask and mode of the folder."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

OTHERS = 0o007
SUFFIXES = ("", "-wal", "-shm", "-journal")


def close_to_others(path: Path) -> bool:
    """Remove the rights of others from a file; return whether they had any. A group keeps its rights.

    The file of another user stays as it is: check sendlayer.W071 names it.
    """
    with suppress(OSError):
        mode = path.stat().st_mode & 0o777
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS)
            return True
    return False


def is_open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & OTHERS)
    except OSError:
        return False


def database_files(name) -> list[Path]:
    """Return the existing files of a SQLite database."""
    return [path for suffix in SUFFIXES if (path := Path(f"{name}{suffix}")).exists()]


class Connection(sqlite3.Connection):
    """A connection to a database file that is created 0600 and closed to others otherwise.

    SQLite creates it by the umask and gives its -wal and -shm files the same mode.
    """

    def __init__(self, database, *args, **kwargs):
        if not str(database).startswith((":memory:", "file:")):
            _create(database)
            # By name: opening and closing the file here would drop the locks of other threads.
            for path in database_files(database):
                close_to_others(path)
        super().__init__(database, *args, **kwargs)


def _create(database):
    with suppress(OSError):  # it exists, or SQLite says why it can't be created
        os.close(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
