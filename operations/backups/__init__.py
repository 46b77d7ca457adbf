"""Backup and restore of the database: `manage.py backup`, `manage.py restore`.

One file (archive.py) with a manifest (manifest.py) and the data, as the kind of database gives it
(sqlite.py, postgres.py). Restoring (restoring.py) is one transaction, which also takes back what
was taken away since the backup (since.py), so that no password that was reset or deleted works
even for a moment. No key and no session is ever in the file.
"""

from django.db import connection

from web.logs import one_line

# Left out: what it holds is worth something only now, to the wrong person too.
TRANSIENT = ("django_session", "usersessions_usersession", "sendlayer_cache")


LONGEST_LINE = 500


class Refused(Exception):
    """It can't be done; str() says why. Nothing was changed."""


def first_line(error) -> str:
    """What an error says, no more: PostgreSQL quotes the row that it could not take below that."""
    return printable(str(error).strip().partition("\n")[0])


def printable(text) -> str:
    """One line of a text that may be anybody's, for a terminal: short, and without what would steer it."""
    return one_line(text[:LONGEST_LINE])


def engine():
    """The module that knows how to dump and load this kind of database."""
    from operations.backups import postgres, sqlite

    return postgres if connection.vendor == "postgresql" else sqlite
