"""The domains of a user: their list with what needs attention, its filters and orders.

As SQL: the ORM needs more time to compile it than the database to answer, and of 500 domains a page shows 25.
"""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import TextChoices

from credentials.models.figures import as_moment
from credentials.models.state import State, condition
from domains.models import Domain

# What needs attention, the most urgent first: what fails now or soon, then what was left behind.
TROUBLES = (State.REFUSED, State.EXPIRING, State.SUSPENDED, State.UNUSED)

_OF_USER = """
FROM domains_membership AS member
INNER JOIN domains_domain AS domain ON domain.id = member.domain_id
"""
_TROUBLED = """
LEFT JOIN credentials_credential AS credential ON credential.domain_id = domain.id AND ({troubled})
"""
_COLUMNS = """
SELECT domain.id, domain.name, domain.display_name, domain.title, member.role,
    domain.suspended_at IS NOT NULL, domain.authorized_at IS NULL, domain.ownership_gone_at IS NOT NULL
"""
_PENDING = "domain.suspended_at IS NULL AND domain.authorized_at IS NULL"
_LOST = "domain.authorized_at IS NOT NULL AND domain.ownership_gone_at IS NOT NULL"
_ALERTED = f"domain.suspended_at IS NOT NULL OR {_PENDING} OR {_LOST}"
_COUNTS = f"""
SELECT COUNT(DISTINCT domain.id),
    COUNT(DISTINCT CASE WHEN {_ALERTED} OR credential.id IS NOT NULL THEN domain.id END),
    COUNT(CASE WHEN {{unused}} THEN 1 END),
    COUNT(DISTINCT CASE WHEN {_PENDING} THEN domain.id END),
    COUNT(DISTINCT CASE WHEN domain.suspended_at IS NULL AND credential.suspended_at IS NULL THEN NULL
        ELSE domain.id END)
"""
_FIGURES = """
SELECT domain_id, COUNT(*), MAX(last_used_at), {counts}
FROM credentials_credential AS credential
WHERE domain_id IN ({domains}) GROUP BY domain_id
"""
_LAST_USED = "(SELECT MAX(last_used_at) FROM credentials_credential WHERE domain_id = domain.id)"


class Filter(TextChoices):
    """What the list is filtered by; UNUSED lists SMTP users."""

    ALL = "", "All"
    ATTENTION = "attention", "Needs attention"
    UNUSED = State.UNUSED.value, "Unused SMTP users"
    PENDING = Domain.State.PENDING.value, Domain.State.PENDING.label
    SUSPENDED = Domain.State.SUSPENDED.value, Domain.State.SUSPENDED.label


class Sort(TextChoices):
    NAME = "", "Name"
    LAST_USED = "last-used", "Last used"
    ATTENTION = "attention", "Needs attention"


# Of a domain and its credentials in trouble.
_FILTERS = {
    Filter.ALL: "1 = 1",
    Filter.ATTENTION: f"{_ALERTED} OR COUNT(credential.id) > 0",
    Filter.PENDING: _PENDING,
    Filter.SUSPENDED: "domain.suspended_at IS NOT NULL OR COUNT(credential.suspended_at) > 0",
}


class Summary(NamedTuple):
    """A domain of a user, and after `with_figures` what there is in it."""

    pk: int
    name: str
    display_name: str
    title: str
    role: str
    is_suspended: bool
    is_unproved: bool
    has_no_record: bool
    total: int = 0
    last_used: datetime | None = None
    refused: int = 0
    expiring: int = 0
    suspended: int = 0
    unused: int = 0

    def __str__(self):
        return self.display_name or self.name

    @property
    def state(self) -> Domain.State:
        if self.is_suspended:
            return Domain.State.SUSPENDED
        return Domain.State.PENDING if self.is_unproved else Domain.State.AUTHORIZED

    @property
    def has_lost_ownership(self) -> bool:
        return bool(self.has_no_record and not self.is_unproved)

    def matches(self, text: str) -> bool:
        """Whether a text is in one of its names."""
        text = text.lower()
        return any(text in name.lower() for name in (self.name, self.display_name, self.title))


class OwnDomains:
    """Those of a user that a Filter leaves, in a Sort; a Paginator takes slices of it.

    `number` is how many they are.
    """

    def __init__(self, user: Any, now: datetime, chosen: Filter, sort: Sort, number: int):
        self._number, self._parameters = number, [user.pk]
        order, moments = _order(sort, now)
        self._statement = f"{_COLUMNS}{_OF_USER}"
        if moments or chosen in (Filter.ATTENTION, Filter.SUSPENDED):
            troubled, of_troubled = _troubled(now)
            self._statement += _TROUBLED.format(troubled=troubled)
            self._statement += "WHERE member.user_id = %s GROUP BY member.id, domain.id HAVING "
            self._parameters = [*of_troubled, user.pk, *moments]
        else:
            self._statement += "WHERE member.user_id = %s AND "
        self._statement += f"({_FILTERS[chosen]}) ORDER BY {order}domain.name, domain.id LIMIT %s OFFSET %s"

    def count(self) -> int:
        return self._number

    def __getitem__(self, part: slice) -> list[Summary]:
        if part.start == part.stop:
            return []
        return _summaries(self._statement, [*self._parameters, part.stop - part.start, part.start])


def all_of(user) -> list[Summary]:
    """All domains of a user by name."""
    return _summaries(
        f"{_COLUMNS}{_OF_USER}WHERE member.user_id = %s ORDER BY domain.name, domain.id", [user.pk]
    )


def counts(user, now: datetime) -> dict[Filter, int]:
    """How many each Filter finds."""
    unused, moments = condition(State.UNUSED, "credential", now)
    troubled, of_troubled = _troubled(now)
    statement = f"{_COUNTS}{_OF_USER}{_TROUBLED}WHERE member.user_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(statement.format(unused=unused, troubled=troubled), [*moments, *of_troubled, user.pk])
        return dict(zip(Filter, cursor.fetchone(), strict=True))


def with_figures(summaries: list[Summary], now: datetime) -> list[Summary]:
    """A page of them with the number of credentials, the last use of any, and the numbers of TROUBLES."""
    if not summaries:
        return summaries
    numbers, moments = _numbers(now)
    statement = _FIGURES.format(counts=", ".join(numbers), domains=", ".join(["%s"] * len(summaries)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*moments, *(summary.pk for summary in summaries)])
        figures = {
            domain: (total, as_moment(last), *troubles) for domain, total, last, *troubles in cursor.fetchall()
        }
    return [Summary(*summary[:8], *figures.get(summary.pk, ())) for summary in summaries]


def _summaries(statement, parameters) -> list[Summary]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [Summary(*row) for row in cursor.fetchall()]


def _troubled(now) -> tuple[str, list]:
    """SQL that is true for a credential with any of TROUBLES, and its parameters."""
    conditions = [condition(state, "credential", now) for state in TROUBLES]
    return " OR ".join(sql for sql, _ in conditions), [value for _, values in conditions for value in values]


def _numbers(now) -> tuple[list[str], list]:
    """SQL that counts each of TROUBLES, and its parameters."""
    conditions = [condition(state, "credential", now) for state in TROUBLES]
    numbers = [f"COUNT(CASE WHEN {sql} THEN 1 END)" for sql, _ in conditions]
    return numbers, [value for _, values in conditions for value in values]


def _order(sort, now) -> tuple[str, list]:
    """SQL that a Sort puts before the name, and its parameters."""
    match sort:
        case Sort.LAST_USED:
            return f"{_LAST_USED} DESC NULLS LAST, ", []
        case Sort.ATTENTION:
            (refused, expiring, suspended, unused), moments = _numbers(now)
            # What fails now or soon is more than what waits, or was left behind.
            failing = ("domain.suspended_at IS NOT NULL", refused, expiring, _LOST)
            keys = (*failing, _PENDING, suspended, unused)
            return "".join(f"({key}) DESC, " for key in keys), moments
    return "", []
