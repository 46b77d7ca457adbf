"""Backup and restore of the database: `manage.py backup`, `manage.py restore`.

One file (archive.py) with a manifest (manifest.py) and the rows, as the kind of database gives them (sqlite.py,
postgres.py). A restore (restore.py) is one transaction that also revokes again what was revoked since the
backup (previous_database.py), so no password that was reset or deleted works even for a moment. No key and no
session is ever in the file.
"""

from web.logs import one_line

MAX_PRINTED = 500  # characters


class BackupError(Exception):
    """It can't be done; str() says why. Nothing was changed."""


def first_line(error) -> str:
    """The first line of an error: below it PostgreSQL quotes the row that it could not store."""
    return printable(str(error).strip().partition("\n")[0])


def printable(text) -> str:
    """One short line of a text that anybody may have written, without what would steer a terminal."""
    return one_line(text[:MAX_PRINTED])
