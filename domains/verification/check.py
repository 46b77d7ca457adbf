"""A check of a domain's DNS, and its effect: the domain is authorized, or its proof is gone or back.

A domain whose proof is gone is reported to its owners but goes on sending, and a failed query changes nothing.
"""

from enum import Enum, auto

from django.db import transaction
from django.utils import timezone

from domains import names, notifications
from domains.dns.judging import judge
from domains.dns.lookups import Lookups
from domains.dns.records import Judgement, Kind, Record, Status
from domains.dns.resolver import Answer, Resolver
from domains.models import AlreadyAuthorized, Domain, NameSuspended
from web.workers import Workers


class TooSoon(Exception):
    """The last check began less than ten seconds ago."""


class CheckResult(Enum):
    """What a check changed."""

    UNCHANGED = auto()
    AUTHORIZED = auto()
    TAKEN = auto()  # proved, but the name is authorized in another account
    SUSPENDED = auto()  # proved, but support suspended the name
    PROOF_GONE = auto()
    PROOF_BACK = auto()


def check_now(domain: Domain, *, by, resolver: Resolver | None = None) -> CheckResult:
    """Check a domain while the caller waits, for at most ten seconds. Raises TooSoon."""
    if not domain.begin_check():
        raise TooSoon
    return check(domain, by=by, resolver=resolver)


def check(domain: Domain, *, by, resolver: Resolver | None = None) -> CheckResult:
    """Look up a domain's records and act on them for an Actor. The caller has begun the check."""
    return _act(domain, look_up(domain, resolver or Resolver()), by)


def look_up(domain: Domain, resolver: Resolver) -> dict[Record, Judgement]:
    """Look up and judge all records at the same time, without the database; set the domain's `dns_zone`."""
    resolver = resolver.for_check()
    lookups, organizational = Lookups(resolver), names.organizational(domain.name)
    expected = domain.expected_records()
    # For an authorized domain's proof, each server is asked: one that lies or lags must raise no alarm.
    each = resolver.each() if domain.authorized_at else []
    workers = Workers("dns", threads=len(expected) + len(each) + 1)
    zone = workers.submit(lookups.zone_of, domain.name, organizational)
    asked = [
        [workers.submit(one.ask, record.host, record.type) for one in (record.required and each) or [lookups]]
        for record in expected
    ]
    domain.dns_zone = zone.result() or domain.dns_zone
    answers = [[future.result() for future in futures] for futures in asked]
    expected = domain.expected_records()  # in that zone
    judged = [
        workers.submit(_judge, record, known, lookups) for record, known in zip(expected, answers, strict=True)
    ]
    return {record: judgement.result() for record, judgement in zip(expected, judged, strict=True)}


def _judge(record: Record, answers: list[Answer], lookups: Lookups) -> Judgement:
    """Judge a record by each server's answer: one can verify it, only all can find it missing or wrong."""
    judgements = [judge(record, answer, lookups) for answer in answers]
    for status in (Status.VERIFIED, Status.UNKNOWN):
        for judgement in judgements:
            if judgement.status is status:
                return judgement
    return judgements[0]


@transaction.atomic
def _act(domain, judged, by) -> CheckResult:
    """Store the judgements and act on the proof, in one transaction."""
    Domain.objects.hold_name(domain.name)  # before its own row, as authorize() does
    now, was_authorized = timezone.now(), bool(domain.authorized_at)
    if not Domain.objects.filter(pk=domain.pk).update(checked_at=now, dns_zone=domain.dns_zone):
        return CheckResult.UNCHANGED  # deleted in the meantime
    domain.refresh_from_db()
    ownership = next(record for record in judged if record.kind is Kind.OWNERSHIP)
    before = domain.dns_records.filter(kind=Kind.OWNERSHIP).first()
    was_verified = bool(before and before.verifies(ownership))
    domain.dns_records.store(domain, judged, now=now)
    status = judged[ownership].status
    if status is Status.VERIFIED:
        return _proved(domain, by)
    is_gone = was_authorized and was_verified and status is not Status.UNKNOWN
    if is_gone and domain.note_ownership_gone(by=by):
        link, host, value = ("domains:dns", domain.name), ownership.host, ownership.value
        notifications.notify_owners(domain, "dns", "dns_gone", link=link, host=host, value=value)
        return CheckResult.PROOF_GONE
    return CheckResult.UNCHANGED


def _proved(domain, by) -> CheckResult:
    if domain.authorized_at:
        return CheckResult.PROOF_BACK if domain.note_ownership_back(by=by) else CheckResult.UNCHANGED
    try:
        credential = domain.authorize(by=by, method="dns")
    except AlreadyAuthorized:
        return CheckResult.TAKEN
    except NameSuspended:
        return CheckResult.SUSPENDED
    return CheckResult.AUTHORIZED if credential else CheckResult.UNCHANGED
