"""Events as JSON lines: one object per line, with every column, for a copy that is kept elsewhere."""

import json
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import ExpressionWrapper, F, TextField
from django.utils.dateparse import parse_datetime

from audit import chain
from audit.models import Event

FETCH_ROWS = 2000
KEYS_OF_EXPORT = {"id", "previous", "digest", *chain.COLUMNS}
# Not as Django converts them: that fails for changed values, and the row has to be named.
AS_STORED = {f"stored_{name}": ExpressionWrapper(F(name), output_field=TextField()) for name in ("at", "data")}
PLAIN = [name for name in chain.COLUMNS if f"stored_{name}" not in AS_STORED]


class Malformed(ValueError):
    """A line does not belong to an export; str() says which."""


def links(name="") -> Iterator[dict]:
    """Every event of every chain, or of those of one domain name, as `verification.Check.add` takes it."""
    rows = Event.objects.chained(name).values("id", "digest", *PLAIN, **AS_STORED)
    # PostgreSQL streams within a transaction; SQLite's would keep everybody else from writing.
    with transaction.atomic() if connection.vendor == "postgresql" else nullcontext():
        for row in rows.iterator(FETCH_ROWS):
            at, data = _time(row.pop("stored_at")), _json(row.pop("stored_data"))
            yield chain.content(row | {"at": at, "data": data})


def _time(stored):
    """A stored time, which PostgreSQL returns as one and SQLite as text; an invalid one unchanged."""
    with suppress(ValueError, TypeError):
        at = stored if isinstance(stored, datetime) else parse_datetime(stored)
        return at.replace(tzinfo=at.tzinfo or UTC) if at else stored
    return stored


def _json(stored):
    with suppress(ValueError, TypeError):
        return json.loads(stored)
    return stored


def export_lines(name="", since=None) -> Iterator[str]:
    """The lines of an export; with `since` (a time), each chain from its first event at or after it."""
    domain, previous, has_begun = object(), "", False
    since = since and chain.timestamp(since)
    for link in links(name):
        if link["domain_id"] != domain:
            domain, previous, has_begun = link["domain_id"], "", not since
        has_begun = has_begun or link["at"] >= since
        if has_begun:
            yield json.dumps(link | {"previous": previous}, sort_keys=True, default=repr) + "\n"
        previous = link["digest"]


def read(lines: Iterable[str]) -> Iterator[dict]:
    """The events of an export. Raises Malformed."""
    for number, line in enumerate(lines, start=1):
        try:
            link = json.loads(line)
        except (ValueError, RecursionError):
            raise Malformed(f"line {number} is not JSON") from None
        if not isinstance(link, dict) or link.keys() != KEYS_OF_EXPORT:
            raise Malformed(f"line {number} is not an event of an export")
        texts = (link["digest"], link["previous"], link["domain_name"])
        numbers = (link["number"], link["id"], link["domain_id"] or 0)
        if not all(isinstance(text, str) for text in texts) or not all(
            type(number) is int for number in numbers
        ):
            raise Malformed(f"line {number} is not an event of an export")
        yield link
