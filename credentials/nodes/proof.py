"""The proof of a revocation: when it was committed, the last login before, and since when each node refuses.

A replica replays in order. While it doesn't show a revocation, it can't show a heartbeat that was written after
its COMMIT either. So its lease ends at the latest `LEASE_SECONDS` after a moment that was after the COMMIT, and
as much later as its clock may be behind (`Node.lease`). What is said of a node is late rather than early.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from audit.models import Event
from credentials.models import LoginDay, Node, RefusalSeen
from credentials.models.login_day import LOGINS_KEPT_FOR
from credentials.outcome import Outcome
from credentials.revocations import OF_ALL_LOGINS, TAGS, TAKEN_BACK_BY, revokes

LISTED = 10  # nodes; those that have refused soonest are summed up
FOLLOWED_FOR = timedelta(minutes=1)  # without a note of the COMMIT
SILENT_AFTER = timedelta(minutes=1)
SHOWN_FOR = timedelta(hours=24)
MILLISECOND = timedelta(milliseconds=1)


class State(StrEnum):
    PRIMARY = "primary"  # its mail servers ask the primary
    SEEN = "seen"
    WAITING = "waiting"  # until its lease ends at the latest
    ENDED = "lease ended"
    EMPTY = "no heartbeat"  # its replica never had one, so it refuses everything


DONE = (State.PRIMARY, State.SEEN)


class Answer(NamedTuple):
    """What is known of one node. `within` is in milliseconds after the commit, at most."""

    node: Node
    state: State
    seen_at: datetime | None = None
    within: int | None = None
    ends_at: datetime | None = None


class Login(NamedTuple):
    """The last accepted login; `ip` is "" for an address that isn't listed."""

    at: datetime
    ip: str


class Proof:
    """What is known now of an event that revokes, of an SMTP user or its domain."""

    def __init__(self, event: Event, username: str, now: datetime | None = None):
        self.event, self.username = event, username
        self.now = now or timezone.now()
        self.title = TAGS[event.tag]

    @cached_property
    def _seen(self) -> dict[int | None, datetime]:
        rows = RefusalSeen.objects.filter(event=self.event.pk)
        return dict(rows.values_list("node", "seen_at"))

    @property
    def confirmed_at(self) -> datetime | None:
        """A moment after the COMMIT, where one was noted."""
        return self._seen.get(None)

    @property
    def committed_at(self) -> datetime:
        return self.confirmed_at or self.event.at

    @cached_property
    def answers(self) -> list[Answer]:
        """Of each node that there was, those that haven't refused first, then the slowest."""
        # A replica that was set up later has shown the revocation from its beginning.
        there = Q(has_replica=False) | Q(first_seen_at__lte=self.committed_at)
        nodes = Node.objects.filter(there).with_lease().order_by("name", "role")
        answers = [self._answer(node) for node in nodes]
        return sorted(answers, key=lambda answer: (answer.state in DONE, -(answer.within or 0)))

    def _answer(self, node) -> Answer:
        if seen_at := self._seen.get(node.pk):
            return Answer(node, State.SEEN, seen_at, self._within(seen_at))
        if not node.has_replica:
            return Answer(node, State.PRIMARY)
        if node.heartbeat_at is None:
            return Answer(node, State.EMPTY)
        ends_at = (self.confirmed_at or self.now) + node.lease
        return Answer(node, State.ENDED if ends_at <= self.now else State.WAITING, ends_at=ends_at)

    def _within(self, seen_at) -> int | None:
        """Milliseconds after the commit, rounded up; 0 for what was seen before its answer came."""
        if not self.confirmed_at:
            return None
        return max(-((self.confirmed_at - seen_at) // MILLISECOND), 0)

    @property
    def listed(self) -> list[Answer]:
        return self.answers[:LISTED]

    @property
    def others(self) -> list[Answer]:
        return self.answers[LISTED:]

    @property
    def unconfirmed_others(self) -> int:
        return sum(answer.state not in DONE for answer in self.others)

    @property
    def roles(self) -> set[str]:
        return {answer.node.role for answer in self.answers}

    @property
    def silent_since(self) -> datetime:
        """A node that was seen last before this has stopped, or can't reach the primary."""
        return self.now - SILENT_AFTER

    @property
    def is_outstanding(self) -> bool:
        """Whether a node may still accept what was revoked, so that the page asks again."""
        is_waiting = any(answer.state == State.WAITING for answer in self.answers)
        return is_waiting and (bool(self.confirmed_at) or self.now - self.event.at < FOLLOWED_FOR)

    @cached_property
    def last_login(self) -> Login | None:
        """The last accepted one of the last 30 days that was reported, with any of its passwords."""
        rows = LoginDay.objects.filter(username=self.username, outcome=Outcome.ACCEPTED, count__gt=0)
        # Not last_at, which messages move too; those of the version before have nothing else.
        at = Greatest(
            Coalesce("current_at", "previous_at", "last_at"), Coalesce("previous_at", "current_at", "last_at")
        )
        rows = rows.filter(day__gt=(self.now - LOGINS_KEPT_FOR).date()).annotate(at=at).order_by("-at")
        found = rows.values_list("at", "ip").first()
        return Login(*found) if found else None

    @cached_property
    def is_login_late(self) -> bool:
        """Whether the last login was accepted after the commit, though none should have been."""
        if (
            self.event.tag not in OF_ALL_LOGINS
            or not self.last_login
            or self.last_login.at <= self.committed_at
        ):
            return False
        back = _events_of(self.event, self.username).filter(tag__in=TAKEN_BACK_BY, at__gt=self.event.at)
        return not back.exists()


def latest(credential: Any, events: list[Event], now: datetime) -> Proof | None:
    """The proof of the newest revocation of an SMTP user while it matters: for a day, or while it's suspended.

    `events` are its newest ones.
    """
    was_reset = credential.password_number > 1 and credential.password_changed_at > now - SHOWN_FOR
    is_recent = was_reset or any(revokes(event) for event in events)
    if not (is_recent or credential.suspended_at or credential.domain.suspended_at):
        return None
    event = _newest(Event.objects.filter(credential=credential.username, tag__in=list(TAGS)))
    if credential.domain.suspended_at:
        of_domain = _newest(Event.objects.filter(domain=credential.domain_id, tag="domain.suspended"))
        event = max(filter(None, (event, of_domain)), key=lambda event: event.at, default=None)
    if event is None or not (_is_in_force(credential, event) or event.at > now - SHOWN_FOR):
        return None
    return Proof(event, credential.username, now)


def find(domain: Any, username: str, number: int) -> Proof | None:
    """The proof of an event by its number in a domain's chain; None if it revoked nothing of this SMTP user."""
    event = Event.objects.filter(domain=domain, number=number).first()
    is_of_it = event is not None and event.credential in ("", username) and revokes(event)
    return Proof(event, username) if event is not None and is_of_it else None


def number_of_deletion(domain: Any, username: str) -> int | None:
    """The number of the event of the last deletion of an SMTP user of this domain."""
    events = Event.objects.filter(credential=username, domain=domain, tag="credential.deleted")
    return events.order_by("-at").values_list("number", flat=True).first()


def _newest(events) -> Event | None:
    """The newest that revokes and is in a chain."""
    newest = events.filter(number__isnull=False).order_by("-at", "-pk")[:LISTED]
    return next(filter(revokes, newest), None)


def _events_of(event, username):
    """The events of the same SMTP user, or of the domain that an event was about."""
    if event.credential:
        return Event.objects.filter(credential=username)
    return Event.objects.filter(domain=event.domain_id, credential="")


def _is_in_force(credential, event) -> bool:
    if event.tag == "credential.suspended":
        return bool(credential.suspended_at)
    return event.tag == "domain.suspended" and bool(credential.domain.suspended_at)
