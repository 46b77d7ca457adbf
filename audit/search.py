"""What staff search for: an address, a person, a username in any form that pages and logs show, or words.

The admin's lists search by index: among a million rows, nothing else answers in the time of a thousand.
"""

from typing import NamedTuple

from django.db.models import Q

from web.search.query import parse

MAX_WORDS = 8
MAX_FOUND = 500  # keys that a condition lists one by one: as many as a list has rows
MIN_PART = 4  # characters of a username: fewer are rather a word


class Username(NamedTuple):
    """A username, or what is known of it. `is_certain` is False for what may be a word as well, as "cafe"."""

    beginning: str
    end: str
    is_certain: bool

    def condition(self, column: str) -> Q:
        """The rows with it in a column, by the column's index."""
        # A range instead of LIKE, which SQLite and locales of PostgreSQL answer without the index.
        rows = Q((f"{column}__gte", self.beginning), (f"{column}__lt", f"{self.beginning}G"))
        return rows & Q((f"{column}__endswith", self.end)) if self.end else rows


def username(text: str) -> Username | None:
    """Return the username that a text is or begins, or None."""
    found = parse(text)
    return Username(found.start, found.end, found.is_username) if len(found.start) >= MIN_PART else None


def address(text: str) -> str:
    """Return an IP address as it is stored, "" for any other text."""
    return parse(text).ip


def words(text: str) -> list[str]:
    return text.split()[:MAX_WORDS]


def keys(rows, column="pk"):
    """Return the values of a column for `__in`: one by one while they are few, otherwise the query itself.

    PostgreSQL uses an index for a list next to other conditions, and for many rows needs none.
    """
    values = rows.order_by().values_list(column, flat=True)
    few = list(values[: MAX_FOUND + 1])
    return few if len(few) <= MAX_FOUND else values
