"""Revokes again, on the new primary, what a failover lost: in one transaction, and once for each act.

The lost events are replayed in a copy of the database, with which it is compared, as after a restore
(operations/backups/revocations.py). Each is recorded as lost, so that it isn't judged a second time: what is
resumed after a look stays resumed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from django.db import transaction

import audit
from audit.actor import Actor
from audit.chain import timestamp
from audit.models import Event
from credentials.models.base import short
from domains.models import Domain
from operations.backups import exported_events, previous_database, revocations
from operations.backups.engines import engine
from operations.failover import people

BY = Actor.system(exported_events.RECONCILE)
# Done again in the meantime, on the new primary, by one of these: what is there now was meant.
SUPERSEDED_BY = {
    "credential.reset": {"credential.reset"},
    "credential.old_password_revoked": {"credential.reset", "credential.old_password_revoked"},
    "credential.networks_set": {"credential.networks_set"},
    "credential.expiry_set": {"credential.expiry_set"},
} | dict.fromkeys(people.PASSWORD, people.PASSWORD)


@dataclass
class Report:
    """What was lost and what was done; lines for the operator, which hold no secret."""

    read: int = 0
    lost: list[str] = field(default_factory=list)
    suspended: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def reconcile(events: Iterable[dict], *, dry_run: bool = False) -> Report:
    """Find which of these events the database lacks, and revoke again what they revoked.

    Raises BackupError when others hold the database, DatabaseError.
    """
    # By primary key: the clocks of web nodes differ, and acts of one domain get their keys one after another.
    events = sorted(_since_restore(events), key=itemgetter("id", "at"))
    report = Report(read=len(events))
    with transaction.atomic(durable=True):
        if any(exported_events.unrecorded(events)):
            engine().lock_acts()
            # Asked again: another process may have done it just now.
            if lost := _once(exported_events.unrecorded(events)):
                _revoke(report, lost)
        transaction.set_rollback(dry_run)
    return report


def _since_restore(events) -> Iterable[dict]:
    """Those after the last restore: it judged what it discarded itself."""
    restores = Event.objects.filter(tag=previous_database.RESTORED_TAG).order_by("-at")
    if not (restored_at := restores.values_list("at", flat=True).first()):
        return events
    return [event for event in events if event["at"] > restored_at]


def _once(lost) -> list[dict]:
    """Each event once, whoever noted it."""
    seen = {(event["tag"], event["credential"], event["domain"], event["at"]): event for event in lost}
    return list(seen.values())


def _revoke(report, lost):
    report.lost += map(_described, lost)
    basis = revocations.after_failover(f"{min(event['at'] for event in lost):%Y-%m-%d %H:%M:%S} UTC")
    wanted = list(_not_superseded(lost))
    previous_database.copy()
    exported_events.replay(wanted)
    report.suspended += revocations.suspend_credentials(basis)
    report.others += revocations.suspend_deleted(basis)
    report.others += revocations.suspend_domains(basis)
    report.others += revocations.set_roles(basis)
    report.others += people.revoke(wanted)
    previous_database.drop()
    _record(lost)


def _not_superseded(lost) -> Iterator[dict]:
    """Those that nobody did again after them."""
    since, tags = min(event["at"] for event in lost), set().union(*SUPERSEDED_BY.values())
    newest: dict[tuple, datetime] = {}
    done = Event.objects.filter(tag__in=tags, at__gt=since).order_by("at")
    for tag, user, actor, at in done.values_list("tag", "credential", "actor_name", "at"):
        newest[tag, user or actor] = at
    for event in lost:
        keys = [(tag, event["credential"] or event["actor"]) for tag in SUPERSEDED_BY.get(event["tag"], ())]
        if not any(newest[key] > event["at"] for key in keys if key in newest):
            yield event


def _record(lost):
    names = {event["domain"] for event in lost}
    domains = {domain.name: domain for domain in Domain.objects.filter(name__in=names).order_by("-pk")}
    # In the order of the chains (audit/locks.py).
    for event in sorted(lost, key=lambda event: getattr(domains.get(event["domain"]), "pk", 0)):
        data = event["data"] | {
            "act": event["tag"],
            "at": timestamp(event["at"]),
            "actor": event["actor"],
            "domain": event["domain"],
        }
        domain = domains.get(event["domain"])
        audit.record(exported_events.LOST_TAG, by=BY, domain=domain, credential=event["credential"], data=data)


def _described(event) -> str:
    at, user = f"{event['at']:%Y-%m-%d %H:%M:%S}", event["credential"]
    return " ".join(
        filter(None, (at, event["tag"], user and short(user), event["domain"], "by", event["actor"]))
    )
