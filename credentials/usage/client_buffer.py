"""Clients of credentials, gathered in memory and added to their tables together."""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction

from credentials.models import Credential
from credentials.models.clients import MAX_ADDRESSES, MAX_NAME_LENGTH, MAX_NAMES, ClientDay, ClientName
from credentials.models.upsert import at_most, chunks, count_up, hold_domains, may_pass

log = logging.getLogger(__name__)

DAY_ONCE = ("username", "day", "ip")  # what makes rows of ClientDay one


class Day(NamedTuple):
    """One credential, used from one address on one day (UTC)."""

    domain_id: int
    username: str
    day: date
    ip: str


class Name(NamedTuple):
    username: str
    ip: str
    kind: ClientName.Kind
    name: str


@dataclass(slots=True)
class Counted:
    first_at: datetime
    last_at: datetime
    accepted: int = 0
    refused: int = 0
    last_cause: str = ""

    def add(self, other: "Counted"):
        self.accepted += other.accepted
        self.refused += other.refused
        if other.last_cause and (other.last_at >= self.last_at or not self.last_cause):
            self.last_cause = other.last_cause
        self.first_at, self.last_at = min(self.first_at, other.first_at), max(self.last_at, other.last_at)


class ClientCounts:
    """What was seen since the last `write`, `most` of each kind. What comes beyond is dropped, and told."""

    def __init__(self, most: int):
        self._lock = threading.Lock()
        self._most = most
        self._days: dict[Day, Counted] = {}
        self._names: dict[Name, Counted] = {}
        self._dropped = 0  # since the last `write`

    @property
    def is_half_full(self) -> bool:
        return 2 * max(len(self._days), len(self._names)) >= self._most

    def add_days(self, days: Iterable[tuple[Day, Counted]]):
        with self._lock:
            for day, counted in days:
                self._put(self._days, day, counted)

    def add_name(self, username: str, ip: str, kind: ClientName.Kind, name: str, at: datetime):
        # What a client chose: it may hold anything, and has no end.
        name = "".join(char if char.isprintable() else "?" for char in name[:MAX_NAME_LENGTH])
        if name:
            with self._lock:
                self._put(self._names, Name(username, ip, kind, name), Counted(at, at, accepted=1))

    def write(self):
        """Add everything to the tables. Raises django.db.Error; then it is kept for the next time.

        Raises anything else where we fail by a value, and then begins anew: it would come back for ever.
        """
        with self._lock:
            days, self._days, names, self._names = self._days, {}, self._names, {}
            dropped, self._dropped = self._dropped, 0
        if dropped:
            log.warning("%d times a client was not counted: there were too many at once.", dropped)
        try:
            with transaction.atomic():
                domains = _domains_of(names)
                hold_domains([*domains.values(), *(day.domain_id for day in days)])
                _write_days(days)
                _write_names(names, domains)
        except Exception as error:
            if may_pass(error):
                with self._lock:
                    for kept, known in ((days, self._days), (names, self._names)):
                        for key, counted in kept.items():
                            self._put(known, key, counted)
            raise

    def _put(self, known, key, counted):
        if key in known:
            known[key].add(counted)
        elif len(known) < self._most:
            known[key] = counted
        else:
            self._dropped += 1


def _write_days(days: dict[Day, Counted]):
    has_room = at_most(ClientDay, (day[1:] for day in days), MAX_ADDRESSES, names=DAY_ONCE)
    rows = _together(days, lambda day: has_room(day[1:]))
    count_up(
        ClientDay,
        (
            day._asdict()
            | {"accepted": seen.accepted, "refused": seen.refused, "last_cause": seen.last_cause}
            | {"first_at": seen.first_at, "last_at": seen.last_at}
            for day, seen in rows.items()
        ),
        once=DAY_ONCE,
        add=("accepted", "refused"),
        said=("last_cause",),
    )


def _domains_of(names: Iterable[Name]) -> dict[str, int]:
    """Username → primary key of its domain, of those that there are."""
    domains: dict[str, int] = {}
    for chunk in chunks({name.username for name in names}):
        domains |= dict(Credential.objects.filter(username__in=chunk).values_list("username", "domain_id"))
    return domains


def _write_names(names: dict[Name, Counted], domains: dict[str, int]):
    # An address without a row of its own gets none by its names either: their number has no end.
    addresses = {name: (name.username, counted.last_at.date(), name.ip) for name, counted in names.items()}
    has_address = at_most(ClientDay, addresses.values(), MAX_ADDRESSES, names=DAY_ONCE)
    names = _together(names, lambda name: has_address(addresses[name]))
    has_room = at_most(ClientName, names, MAX_NAMES, names=("username", "ip", "kind", "name"))
    count_up(
        ClientName,
        (
            {"domain_id": domains[name.username]}
            | name._asdict()
            | {"count": seen.accepted, "first_at": seen.first_at, "last_at": seen.last_at}
            for name, seen in names.items()
            if name.username in domains and has_room(name)
        ),
        once=Name._fields,
        add=("count",),
    )


def _together(rows, has_room):
    """Rows, with those that have no room added up under the address ""."""
    kept: dict = {}
    for key, counted in rows.items():
        key = key if has_room(key) else key._replace(ip="")
        if key in kept:
            kept[key].add(counted)
        else:
            kept[key] = replace(counted)  # a batch that fails is written again as it was
    return kept
