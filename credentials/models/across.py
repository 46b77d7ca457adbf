"""Credentials across the domains of a user: what needs attention, and what a search finds."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL

from credentials.models.base import is_username
from credentials.models.batches import chunks
from credentials.models.credential import Credential
from credentials.models.figures import as_moment
from credentials.models.login_day import LoginDay
from credentials.models.state import State, condition
from domains.models import Domain, Membership
from web.search import parse

MIN_PART = 4  # characters of a username: fewer are rather a word
ROW_FIELDS = (
    "username",
    "label",
    "domain__name",
    "domain__display_name",
    "suspended_at",
    "last_used_at",
    "last_used_ip",
    "last_refused_at",
    "last_refused_ip",
)
# What needs attention, the most urgent first: what fails now or soon, then what was left behind.
TROUBLES = (State.REFUSED, State.EXPIRING, State.SUSPENDED, State.UNUSED)
# As SQL: the ORM needs more time to compile it than the database to answer.
_DOMAINS = """
SELECT domain.id, domain.name, domain.display_name, domain.title, member.role,
    domain.suspended_at IS NOT NULL, domain.authorized_at IS NULL, domain.ownership_gone_at IS NOT NULL
FROM domains_membership AS member
INNER JOIN domains_domain AS domain ON domain.id = member.domain_id
WHERE member.user_id = %s
ORDER BY domain.name, domain.id
"""
# Of the few credentials that are in trouble: to count all of them takes twice as long.
_TROUBLES = """
SELECT domain_id, {counts}
FROM credentials_credential AS credential
WHERE domain_id IN (SELECT domain_id FROM domains_membership WHERE user_id = %s) AND ({troubles})
GROUP BY domain_id
"""
_USE = """
SELECT domain_id, COUNT(*), MAX(last_used_at)
FROM credentials_credential
WHERE domain_id IN ({domains})
GROUP BY domain_id
"""


class Summary(NamedTuple):
    """A domain of a user in figures; `last_used_at` is as the database returns it, only to compare.

    `total` and `last_used_at` are known after `with_use`.
    """

    pk: int
    name: str
    display_name: str
    title: str
    role: str
    is_suspended: bool
    is_unproved: bool
    has_no_record: bool
    refused: int = 0
    expiring: int = 0
    suspended: int = 0
    unused: int = 0
    total: int = 0
    last_used_at: Any = None

    def __str__(self):
        return self.display_name or self.name

    @property
    def state(self) -> Domain.State:
        if self.is_suspended:
            return Domain.State.SUSPENDED
        return Domain.State.PENDING if self.is_unproved else Domain.State.AUTHORIZED

    @property
    def is_pending(self) -> bool:
        return bool(self.is_unproved and not self.is_suspended)

    @property
    def has_lost_ownership(self) -> bool:
        return bool(self.has_no_record and not self.is_unproved)

    @property
    def needs_attention(self) -> bool:
        troubles = self.refused or self.expiring or self.suspended or self.unused
        return bool(self.is_suspended or self.is_unproved or self.has_no_record or troubles)

    @property
    def urgency(self) -> tuple:
        """What to sort by: what fails now or soon is more than what waits, or was left behind."""
        failing = (self.is_suspended, self.refused, self.expiring, self.has_lost_ownership)
        return (*failing, self.is_pending, self.suspended, self.unused)

    @property
    def last_used(self) -> datetime | None:
        """The moment of the last login to any of its credentials."""
        return as_moment(self.last_used_at)

    def matches(self, text: str) -> bool:
        """Whether a text is in one of its names."""
        text = text.lower()
        return any(text in name.lower() for name in (self.name, self.display_name, self.title))


def domains(user, troubles=None) -> list[Summary]:
    """All domains of a user by name, with the numbers of TROUBLES in each."""
    troubles = troubles or {}
    with connection.cursor() as cursor:
        cursor.execute(_DOMAINS, [user.pk])
        return [Summary(*row, *troubles.get(row[0], ())) for row in cursor.fetchall()]


def summaries(user, now) -> list[Summary]:
    """The same with these numbers."""
    conditions, moments = [], []
    for state in TROUBLES:
        sql, values = condition(state, "credential", now)
        conditions.append(sql)
        moments += values
    counts = (f"COUNT(CASE WHEN {sql} THEN 1 END)" for sql in conditions)
    statement = _TROUBLES.format(counts=", ".join(counts), troubles=" OR ".join(conditions))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*moments, user.pk, *moments])
        troubles = {domain: numbers for domain, *numbers in cursor.fetchall()}
    return domains(user, troubles)


def with_use(summaries) -> list[Summary]:
    """The same with their number of credentials, and the last use of any."""
    use = {}
    with connection.cursor() as cursor:
        for chunk in chunks([summary.pk for summary in summaries]):
            cursor.execute(_USE.format(domains=", ".join(["%s"] * len(chunk))), chunk)
            use |= {domain: figures for domain, *figures in cursor.fetchall()}
    return [
        summary._replace(total=figures[0], last_used_at=figures[1]) if figures else summary
        for summary, figures in ((summary, use.get(summary.pk)) for summary in summaries)
    ]


def of_user(user):
    """The credentials of all domains that a user is a member of."""
    return Credential.objects.filter(domain__in=Membership.objects.filter(user=user).values("domain"))


def unused(user, now):
    """Those of a user's domains that are unused, the longest first, as named tuples of ROW_FIELDS."""
    sql, parameters = condition(State.UNUSED, "credentials_credential", now)
    rows = of_user(user).filter(RawSQL(sql, parameters, output_field=BooleanField()))  # noqa: S611
    rows = rows.order_by(F("last_used_at").asc(nulls_first=True), "created_at", "pk")
    return rows.values_list(*ROW_FIELDS, named=True)


def found(user, text, now):
    """Those of a user's domains that a search finds, by domain, as named tuples of ROW_FIELDS."""
    wanted = parse(text)
    if is_username(wanted.start):
        matching = Q(username=wanted.start)
    else:
        matching = Q(label__icontains=text)
        if len(wanted.start) >= MIN_PART:
            # A range, which the index of both databases can find.
            matching |= Q(
                username__gte=wanted.start, username__lt=f"{wanted.start}G", username__endswith=wanted.end
            )
        if wanted.ip:
            logins = LoginDay.objects.filter(username=OuterRef("username"), ip=wanted.ip).recent(now)
            matching |= Q(last_used_ip=wanted.ip) | Q(last_refused_ip=wanted.ip) | Exists(logins)
    rows = of_user(user).filter(matching).order_by("domain__name", "created_at", "pk")
    return rows.values_list(*ROW_FIELDS, named=True)
