"""What staff search for: an address, a person, a username in any form that pages and logs show, or words.

The admin's lists search by index: among a million rows, nothing else answers in the time of a thousand.
"""

import re
from ipaddress import ip_address
from typing import NamedTuple

from django.db.models import Q

MAX_WORDS = 8
MAX_FOUND = 100  # rows of another table that a condition lists one by one
# The whole, its beginning, the short form of pages, and Postfix's sasl_username with the password's number.
_USERNAME = re.compile(r"([0-9A-F]{4,32})(?:(…|\.\.\.)([0-9A-F]{0,8}))?(\.[0-9]{1,9}(?:\.PREVIOUS)?)?")
# Around what people copy from a log: sasl_username=…, user=<…>, client=unknown[…].
_FIELD = re.compile(r"[A-Za-z_]{1,32}=")
_HOST = re.compile(r"[^\s\[\]]{1,255}\[")
_WRAPPING = " <>[](){}\"'`“”,;"


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
    found = _USERNAME.fullmatch(_bare(text).upper())
    if not found:
        return None
    beginning, dots, end, number = found.groups()
    return Username(beginning, end or "", bool(dots or number) or len(beginning) == 32)


def address(text: str) -> str:
    """Return an IP address as it is stored, "" for any other text."""
    try:
        found = ip_address(_HOST.sub("", _bare(text), count=1))
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)


def _bare(text: str) -> str:
    return _FIELD.sub("", text.strip(_WRAPPING), count=1).strip(_WRAPPING)


def words(text: str) -> list[str]:
    return text.split()[:MAX_WORDS]


def keys(rows, column="pk"):
    """Return the values of a column for `__in`: one by one while they are few, otherwise the query itself.

    PostgreSQL uses an index for a list next to other conditions, and for many rows needs none.
    """
    values = rows.order_by().values_list(column, flat=True)
    few = list(values[: MAX_FOUND + 1])
    return few if len(few) <= MAX_FOUND else values
