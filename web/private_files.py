"""Files that other users of this machine can't read, whatever the folder's mode and the umask."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

OTHERS = 0o007
BESIDE = ("", "-wal", "-shm", "-journal")


def close_to_others(path: Path) -> bool:
    """Take the rights of others from a file; return whether they had any. A group keeps what it has.

    One that belongs to somebody else stays as it is: `sendlayer.W071` names it.
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
    """A SQLite database and what SQLite keeps beside it, as far as it is there."""
    return [path for end in BESIDE if (path := Path(f"{name}{end}")).exists()]


class Connection(sqlite3.Connection):
    """A connection to a database file that is made 0600, and closed to others where it was not.

    SQLite itself makes it as the umask says, and gives what lies beside it the same mode.
    """

    def __init__(self, database, *args, **kwargs):
        if not str(database).startswith((":memory:", "file:")):
            _make(database)
            # By name only: to open and close the file here would drop the locks of other threads.
            for path in database_files(database):
                close_to_others(path)
        super().__init__(database, *args, **kwargs)


def _make(database):
    with suppress(OSError):  # it is there, or SQLite says why it can't be made
        os.close(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
