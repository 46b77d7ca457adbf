"""`icontains` as people expect it of letters beyond ASCII: MÜLLER contains müller.

PostgreSQL knows their cases; SQLite's LIKE knows those of ASCII only.
"""

import unicodedata

from django.db import connection
from django.db.models.lookups import IContains

FUNCTION = "contains_folded"  # of SQLite connections: text, what `fold` made of the search


class FoldedIContains(IContains):
    """Django's `icontains`, where a letter with an accent may be one character or two (NFC, NFD)."""

    def get_prep_lookup(self):
        searched = super().get_prep_lookup()
        return unicodedata.normalize("NFC", searched) if isinstance(searched, str) else searched

    def as_sqlite(self, compiler, connection):
        if not isinstance(self.rhs, str) or self.rhs.isascii():
            return self.as_sql(compiler, connection)
        column, parameters = self.process_lhs(compiler, connection)
        return f"{FUNCTION}({column}, %s)", [*parameters, fold(self.rhs)]


def containing(column: str, text: str) -> tuple[str, list]:
    """SQL that is true where a column contains a text, as `icontains` says it, and its parameters."""
    text = unicodedata.normalize("NFC", text)
    if connection.vendor == "sqlite" and not text.isascii():
        return f"{FUNCTION}({column}, %s)", [fold(text)]
    like = connection.ops.lookup_cast("icontains") % column
    return f"{like} {connection.operators['icontains']}", [f"%{connection.ops.prep_for_like_query(text)}%"]


def fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def contains_folded(text: str | None, searched: str) -> bool:
    return text is not None and searched in fold(text)


def add_function(connection, **kwargs) -> None:
    """Receive `connection_created`."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(FUNCTION, 2, contains_folded, deterministic=True)
