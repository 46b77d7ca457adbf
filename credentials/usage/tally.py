"""Which credentials are used, and which are refused, as mail servers tell: gathered, then written together."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from credentials.models.clients import ClientName
from credentials.models.login_total import UNCOUNTED, LoginTotal
from credentials.models.upsert import may_pass
from credentials.outcome import Outcome
from credentials.usage import writer
from credentials.usage.client_buffer import ClientCounts

MAX_WAITING = 20_000  # distinct logins; what comes beyond is dropped
CLIENTS_EVERY_SECONDS = 5, 10  # at the least, and when there are many
WRITING_SHARE = 0.02  # of the time: the more there is to write, the more is gathered first


def pause_after(took: float, every: tuple[float, float]) -> float:
    """Return the seconds until the next write, after one of `took` seconds."""
    least, most = every
    return min(max(least, took / WRITING_SHARE), most)


class Login(NamedTuple):
    """What makes logins alike. `outcome` is None for one that was refused without a cause being told.

    `digest` is credentials.digests.digest of a refused one, where it is known; `is_previous`
    tells of the password before this one, while a rotation overlaps.
    """

    username: str
    ip: str
    outcome: Outcome | None
    digest: str = ""
    is_previous: bool = False


@dataclass(slots=True)
class Seen:
    number: int
    at: datetime


class Tally:
    """Logins since the last `write`. `add` and `add_name` are cheap and may be called in any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._seen: dict[Login, Seen] = {}
        self._clients = ClientCounts(MAX_WAITING)
        self._clients_due = 0.0
        self.dropped = 0  # since the last `write`

    def add(
        self,
        username: str,
        ip: str,
        outcome: Outcome | None,
        *,
        digest: str = "",
        is_previous: bool = False,
        at: datetime | None = None,
        number: int = 1,
    ):
        """Count a login."""
        self._put(Login(username, ip, outcome, digest, is_previous), at or timezone.now(), number)

    def add_name(self, username: str, ip: str, kind: ClientName.Kind, name: str):
        """Count a name that a signed-in client gave."""
        self._clients.add_name(username, ip, kind, name, timezone.now())

    def write(self, *, finally_: bool = False) -> int:
        """Write what was gathered; return how many logins that were.

        Who uses what is written every few seconds, when it becomes much, and `finally_`. Raises
        django.db.Error; then everything is kept for the next time. Raises anything else where we
        fail by a login; then that one is dropped and the others are written.
        """
        with self._lock:
            batch, self._seen = self._seen, {}
        try:
            self._write(batch)
        except Exception as error:
            if may_pass(error):
                self._keep(batch)
            else:
                self._write_each(batch)
            raise
        self._write_dropped()
        if finally_ or self._clients.is_half_full or time.monotonic() >= self._clients_due:
            started = time.monotonic()
            self._clients_due = started + CLIENTS_EVERY_SECONDS[0]
            self._clients.write()
            self._clients_due = started + pause_after(time.monotonic() - started, CLIENTS_EVERY_SECONDS)
        return sum(seen.number for seen in batch.values())

    def _write(self, batch):
        if batch:
            with transaction.atomic():
                days = writer.write(batch)
            self._clients.add_days(days)

    def _write_each(self, batch):
        left = dict(batch)
        while left:
            login = next(iter(left))
            try:
                self._write({login: left[login]})
            except Exception as error:
                if may_pass(error):
                    return self._keep(left)
                self._drop(left[login].number)
            del left[login]

    def _write_dropped(self):
        """Tell how many logins are missing in all other figures."""
        with self._lock:
            number, self.dropped = self.dropped, 0
        if number:
            try:
                LoginTotal.objects.add({UNCOUNTED: number}, at=timezone.now())
            except BaseException:
                self._drop(number)
                raise

    def _keep(self, batch):
        for login, seen in batch.items():
            self._put(login, seen.at, seen.number)

    def _drop(self, number):
        with self._lock:
            self.dropped += number

    def _put(self, login, at, number):
        with self._lock:
            seen = self._seen.get(login)
            if seen:
                seen.number, seen.at = seen.number + number, max(seen.at, at)
            elif len(self._seen) < MAX_WAITING:
                self._seen[login] = Seen(number, at)
            else:
                self.dropped += number
