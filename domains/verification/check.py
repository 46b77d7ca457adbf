"""A check of a domain's DNS, and what follows from it: authorized, proof gone, proof back.

Nothing else follows: a domain whose proof is gone is told of, never cut off, and what
could not be asked changes nothing.
"""

from enum import Enum, auto

from django.db import transaction
from django.utils import timezone

from domains import notifications
from domains.dns import records
from domains.dns.records import Heard, Judgement, Kind, Record, Status
from domains.dns.resolver import Resolver
from domains.models import AlreadyAuthorized, Domain, NameSuspended
from web.workers import Workers


class TooSoon(Exception):
    """The last check began less than ten seconds ago."""


class Outcome(Enum):
    """What a check changed."""

    NOTHING = auto()
    AUTHORIZED = auto()
    TAKEN = auto()  # proved, but the name is authorized in another account
    SUSPENDED = auto()  # proved, but support suspended the name
    GONE = auto()
    BACK = auto()


def check_now(domain: Domain, *, by, resolver: Resolver | None = None) -> Outcome:
    """Check a domain while the caller waits, up to five seconds. Raises TooSoon."""
    if not domain.begin_check():
        raise TooSoon
    return check(domain, by=by, resolver=resolver)


def check(domain: Domain, *, by, resolver: Resolver | None = None) -> Outcome:
    """Look a domain's records up and act on what is found, for an Actor. The caller began the check."""
    judged = look_up(domain, resolver or Resolver())
    return _act(domain, judged, by)


def look_up(domain: Domain, resolver: Resolver) -> dict[Record, Judgement]:
    """Ask for all records at once and judge them. Touches no database."""
    expected = domain.expected_records()
    questions = {(host, record.type) for record in expected for host in record.hosts}
    # An authorized domain's proof: one resolver that lies or lags must raise no alarm.
    proof = {record.host for record in expected if record.kind is Kind.OWNERSHIP and domain.authorized_at}
    resolvers = {host: resolver.each() if host in proof else [resolver] for host, _type in questions}
    workers = Workers("dns", threads=len(questions) + len(resolver.each()))
    futures = {
        (host, type): [workers.submit(single.ask, host, type) for single in resolvers[host]]
        for host, type in questions
    }
    answers = {question: [future.result() for future in asked] for question, asked in futures.items()}
    return {
        record: _judge(record, {host: answers[host, record.type] for host in record.hosts})
        for record in expected
    }


def _judge(record: Record, answers: dict[str, list]) -> Judgement:
    """Judge a record by each resolver's answer: verified by any, absent or wrong only by all."""
    elsewhere = {host: answers[host][0] for host in record.elsewhere}
    judgements = [records.judge(record, Heard(answer, elsewhere)) for answer in answers[record.host]]
    for status in (Status.VERIFIED, Status.UNKNOWN):
        for judgement in judgements:
            if judgement.status is status:
                return judgement
    return judgements[0]


@transaction.atomic
def _act(domain, judged, by) -> Outcome:
    """Keep the results and do what they ask for, all of it or nothing."""
    Domain.objects.hold_name(domain.name)  # before its own row, as authorize() does
    now, was_authorized = timezone.now(), domain.authorized_at
    if not Domain.objects.filter(pk=domain.pk).update(checked_at=now):
        return Outcome.NOTHING  # deleted meanwhile
    domain.refresh_from_db()
    ownership = next(record for record in judged if record.kind is Kind.OWNERSHIP)
    before = domain.dns_records.filter(kind=Kind.OWNERSHIP).first()
    was_verified = bool(before and before.verifies(ownership))
    domain.dns_records.keep(domain, judged, at=now)
    status = judged[ownership].status
    if status is Status.VERIFIED:
        return _proved(domain, by)
    is_gone = was_authorized and was_verified and status is not Status.UNKNOWN
    if is_gone and domain.note_ownership_gone(by=by):
        link, host, value = ("domains:dns", domain.name), ownership.host, ownership.value
        notifications.tell_owners(domain, "dns", "dns_gone", link=link, host=host, value=value)
        return Outcome.GONE
    return Outcome.NOTHING


def _proved(domain, by) -> Outcome:
    if domain.authorized_at:
        return Outcome.BACK if domain.note_ownership_back(by=by) else Outcome.NOTHING
    try:
        credential = domain.authorize(by=by, method="dns")
    except AlreadyAuthorized:
        return Outcome.TAKEN
    except NameSuspended:
        return Outcome.SUSPENDED
    return Outcome.AUTHORIZED if credential else Outcome.NOTHING
