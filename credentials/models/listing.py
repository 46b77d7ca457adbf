"""The list of SMTP users: its search, filters and orders.

As SQL: the ORM needs more time to compile it than the database to answer.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, F, QuerySet, TextChoices
from django.db.models.expressions import RawSQL
from django.utils import timezone

from credentials.models.figures import as_moment
from credentials.models.login_day import LOGINS_KEPT_FOR
from credentials.models.state import State, condition, troubled
from credentials.outcome import Outcome
from web.search import folding
from web.search.query import parse

_ROWS = """
SELECT {columns}
FROM credentials_credential AS credential
LEFT JOIN accounts_user AS creator ON creator.id = credential.created_by_id
WHERE {condition}
ORDER BY {order}
"""
_COUNT = "SELECT COUNT(*) FROM credentials_credential AS credential WHERE {condition}"
_LOGGED_IN = """EXISTS (
    SELECT 1 FROM credentials_loginday AS login
    WHERE login.username = credential.username AND login.ip = %s AND login.day > %s AND login.outcome <> %s
)"""
ROWS_AT_ONCE = 500


class Sort(TextChoices):
    """The orders of the list; without one, the oldest is first."""

    LAST_USED = "last-used", "Last used"
    NEWEST = "newest", "Newest"
    LABEL = "label", "Label"


_OLDEST_FIRST = "credential.created_at, credential.id"
_ORDERS = {
    "": _OLDEST_FIRST,
    Sort.LAST_USED: f"credential.last_used_at DESC NULLS LAST, {_OLDEST_FIRST}",
    Sort.NEWEST: "credential.created_at DESC, credential.id DESC",
    Sort.LABEL: f"NULLIF(LOWER(credential.label), '') ASC NULLS LAST, {_OLDEST_FIRST}",
}


class Row(NamedTuple):
    """A credential in the list, with the e-mail of the person who added it. No secret, no model."""

    created_at: datetime
    suspended_at: datetime | None
    expires_at: datetime | None
    previous_valid_until: datetime | None
    last_used_at: datetime | None
    last_refused_at: datetime | None
    username: str
    label: str
    suspended_by_support: bool | None
    last_used_ip: str | None
    last_refused_ip: str | None
    last_refused_cause: str
    allowed_networks: str
    creator: str | None


_MOMENTS = Row._fields.index("username")  # how many come first
_COLUMNS = ", ".join([*(f"credential.{name}" for name in Row._fields[:-1]), "creator.email"])


class Listing:
    """Those of a domain that a search finds, in a State, in the order of the list or another Sort.

    A Paginator takes slices of it.
    """

    def __init__(self, domain: Any, search: str = "", state: str = "", sort: str = ""):
        now = timezone.now()
        conditions: list[tuple[str, list]] = [("credential.domain_id = %s", [domain.pk])]
        if state:
            conditions.append(condition(State(state), "credential", now))
        if search:
            conditions.append(_matching(search, now))
        self._condition = " AND ".join(f"({sql})" for sql, _ in conditions)
        self._parameters = [value for _, values in conditions for value in values]
        self._rows = _ROWS.format(columns=_COLUMNS, condition=self._condition, order=_ORDERS[sort])

    def count(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT.format(condition=self._condition), self._parameters)
            return cursor.fetchone()[0]

    def __getitem__(self, part: slice) -> list[Row]:
        if part.start == part.stop:
            return []
        with connection.cursor() as cursor:
            limits = [part.stop - part.start, part.start]
            cursor.execute(f"{self._rows} LIMIT %s OFFSET %s", [*self._parameters, *limits])
            return list(map(_row, cursor.fetchall()))

    def __iter__(self) -> Iterator[Row]:
        """All of them, in constant memory."""
        with connection.chunked_cursor() as cursor:
            cursor.execute(self._rows, self._parameters)
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield from map(_row, rows)


class ListingQuerySet(QuerySet):
    def oldest_first(self):
        """In the order of the list."""
        return self.order_by("created_at", "pk")

    def troubled(self, now):
        """Those that expire soon, then those that were not used within a week, both the first one first."""
        sql, parameters = troubled(connection.ops.quote_name(self.model._meta.db_table), now)
        rows = self.filter(RawSQL(sql, parameters, output_field=BooleanField()))  # noqa: S611
        return rows.order_by(F("expires_at").asc(nulls_last=True), "created_at", "pk")


def _row(values) -> Row:
    return Row(*map(as_moment, values[:_MOMENTS]), *values[_MOMENTS:])


def _matching(text: str, now: datetime) -> tuple[str, list]:
    """SQL that is true for the rows that a search finds, and its parameters."""
    search = parse(text)
    label, parameters = folding.containing("credential.label", search.text)
    found = [label]
    if search.start:
        found.append("credential.username LIKE %s AND credential.username LIKE %s")
        parameters += [f"{search.start}%", f"%{search.end}"]
    if search.ip:
        found += ["credential.last_used_ip = %s", "credential.last_refused_ip = %s", _LOGGED_IN]
        since = connection.ops.adapt_datefield_value((now - LOGINS_KEPT_FOR).date())
        parameters += [search.ip, search.ip, search.ip, since, Outcome.UNKNOWN_USERNAME.value]
    return " OR ".join(f"({sql})" for sql in found), parameters
