"""The credentials of a domain in figures: one query, whatever a page says about all of them."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection

from credentials.models.state import State, condition, troubled

# As SQL: the ORM needs more time to compile it than the database to answer.
_FIGURES = """
SELECT COUNT(*), {counts}, MAX(last_used_at), EXISTS (
    SELECT 1 FROM credentials_loginday WHERE domain_id = %s AND retired_password_id IS NOT NULL
)
FROM credentials_credential AS credential
WHERE domain_id = %s
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
