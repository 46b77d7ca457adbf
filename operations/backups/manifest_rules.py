"""What each part of a manifest has to be: type and bounds. Names end up in SQL and on a terminal."""

import re
from collections.abc import Callable
from datetime import datetime

MOST = 10_000  # migrations, keys, tables: far more than there will ever be
LARGEST = 2**63 - 2  # one below the largest of a column, since the next one is counted from it
NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")  # of a table, a column or a sequence
MIGRATION = re.compile(r"\w{1,255}", re.ASCII)
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
KIND = re.compile(r"[a-z]{1,20}")
ID = re.compile(r"[0-9]{1,18}")
LONGEST_TEXT = 200


def _matches(pattern) -> Callable:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _list_of(is_right) -> Callable:
    return lambda value: isinstance(value, list) and len(value) <= MOST and all(map(is_right, value))


def _object_of(is_right) -> Callable:
    """Names → what is right."""
    is_name = _matches(NAME)
    return lambda value: (
        isinstance(value, dict)
        and len(value) <= MOST
        and all(is_name(name) and is_right(each) for name, each in value.items())
    )


def _is_number(value) -> bool:
    return type(value) is int and 0 <= value <= LARGEST  # a bool is no number


def _is_migration(value) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_matches(MIGRATION), value))


def _is_event(value) -> bool:
    """None, or the id, tag and time of one, as text."""
    if value is None:
        return True
    is_three = isinstance(value, list) and len(value) == 3
    return (
        is_three
        and _matches(ID)(value[0])
        and all(isinstance(text, str) and len(text) <= LONGEST_TEXT for text in value)
    )


def _is_time(value) -> bool:
    try:
        return len(value) <= LONGEST_TEXT and datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


# Name → (what it has to be, whether it has to be there). The last two are of PostgreSQL.
RULES = {
    "format": (lambda value: _is_number(value) and value > 0, True),
    "database": (_matches(KIND), True),
    "taken_at": (_is_time, True),
    "migrations": (_list_of(_is_migration), True),
    "keys": (_list_of(_matches(KEY_ID)), True),
    "newest_event": (_is_event, True),
    "counts": (_object_of(_is_number), True),
    "columns": (_object_of(_list_of(_matches(NAME))), False),
    "sequences": (_object_of(lambda value: value is None or _is_number(value)), False),
}
