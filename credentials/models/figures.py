"""A domain in figures: what pages say about all of its credentials and logins.

As SQL: the ORM needs more time to compile it than the database to answer.
"""

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.db import connection

from credentials.models.login_day import LOGINS_KEPT_FOR
from credentials.models.state import State, condition, troubled

_FIGURES = """
SELECT COUNT(*), {counts}, MAX(last_used_at), EXISTS (
    SELECT 1 FROM credentials_loginday WHERE domain_id = %s AND retired_password_id IS NOT NULL
)
FROM credentials_credential AS credential
WHERE domain_id = %s
"""
_LOGINS = """
SELECT day, outcome, CAST(SUM(count) AS bigint) FROM credentials_loginday
WHERE domain_id = %s AND day > %s GROUP BY day, outcome
"""


class Figures(NamedTuple):
    """`counts` is State → how many are in it, and "" → how many there are.

    `troubled` expire soon or were never used (`state.troubled`). `has_tries` says that a login with a retired
    password was refused within 30 days.
    """

    counts: dict[str, int]
    troubled: int
    last_used_at: datetime | None
    has_tries: bool


def figures_of(domain, now: datetime) -> Figures:
    conditions = [*(condition(state, "credential", now) for state in State), troubled("credential", now)]
    columns = ", ".join(f"COUNT(CASE WHEN {sql} THEN 1 END)" for sql, _ in conditions)
    parameters = [value for _, values in conditions for value in values]
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES.format(counts=columns), [*parameters, domain.pk, domain.pk])
        *numbers, troubled_ones, last_used_at, has_tries = cursor.fetchone()
    counts = dict(zip(("", *State.values), numbers, strict=True))
    return Figures(counts, troubled_ones, as_moment(last_used_at), bool(has_tries))


def as_moment(value: Any) -> datetime | None:
    """A moment as plain SQL returns it. SQLite returns a column's naive, an expression's as text."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def logins_of(domain, now: datetime) -> dict[tuple[date, str], int]:
    """(day, outcome) → how many of the last 30 days, with those at usernames that were deleted then."""
    since = connection.ops.adapt_datefield_value((now - LOGINS_KEPT_FOR).date())
    with connection.cursor() as cursor:
        cursor.execute(_LOGINS, [domain.pk, since])
        return {(day, outcome): number for day, outcome, number in cursor.fetchall()}
