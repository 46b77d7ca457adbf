"""Questions to the database, asked in threads so that no session waits for another's.

Raises what UNAVAILABLE lists when there is no answer: never take that for a refusal.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import django.db
from django.utils import timezone

from credentials.models import Credential, Outcome
from submission import journal, sasl

QUESTION_SECONDS = 15  # above the PostgreSQL pool's own 5
NOTE_SECONDS = 1  # a reply waits no longer for "last used"


class Busy(Exception):
    """Too many questions wait already."""


UNAVAILABLE = (django.db.Error, TimeoutError, Busy)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What a session remembers of its login, to ask again at every message."""

    credential: Credential = field(repr=False)
    username: str
    domain: str
    password_changed_at: datetime


class Workers:
    """A few threads and a bounded queue before them."""

    def __init__(self, threads: int, waiting: int):
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="submission")
        self._slots = threading.BoundedSemaphore(threads + waiting)

    async def run(self, function: Callable, *arguments):
        """Return what the function returns. Raises Busy, TimeoutError, what it raises."""
        if not self._slots.acquire(blocking=False):
            raise Busy
        future = self._executor.submit(_with_sound_connection, function, *arguments)
        future.add_done_callback(lambda _future: self._slots.release())
        return await asyncio.wait_for(asyncio.wrap_future(future), QUESTION_SECONDS)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


class Logins:
    """Logins and their re-checks; each kind has its own threads, so that a flood of one leaves the others.

    Together they hold fewer connections than the PostgreSQL pool has.
    """

    def __init__(self):
        self._logins = Workers(threads=3, waiting=100)
        self._checks = Workers(threads=2, waiting=500)
        self._notes = Workers(threads=1, waiting=100)

    async def judge(self, login: sasl.Login) -> tuple[Outcome, LoggedIn | None]:
        """Judge a username and password. Raises one of UNAVAILABLE."""
        outcome, credential = await self._logins.run(Credential.objects.authenticate, *login)
        if outcome is not Outcome.ACCEPTED:
            return outcome, None
        domain, changed_at = credential.domain.name, credential.password_changed_at
        return outcome, LoggedIn(credential, credential.username, domain, changed_at)

    async def still_valid(self, login: LoggedIn) -> bool:
        """Whether the credential would be accepted now, with the same password. Raises one of UNAVAILABLE."""
        return await self._checks.run(_still_valid, login)

    async def note_use(self, login: LoggedIn, ip: str) -> None:
        """Remember the use. Never raises: a login does not fail for its footnote."""
        note = asyncio.ensure_future(self._notes.run(Credential.objects.note_use, login.credential, ip))
        note.add_done_callback(_tell_of_failure)
        await asyncio.wait([note], timeout=NOTE_SECONDS)

    def close(self) -> None:
        for workers in (self._logins, self._checks, self._notes):
            workers.close()


def _still_valid(login: LoggedIn) -> bool:
    credential = (
        Credential.objects.select_related("domain")
        .defer("password_sealed", "verifier")
        .filter(pk=login.credential.pk, password_changed_at=login.password_changed_at)
        .first()
    )
    return credential is not None and credential.outcome(timezone.now()) is Outcome.ACCEPTED


def _with_sound_connection(function, *arguments):
    django.db.close_old_connections()
    try:
        return function(*arguments)
    finally:
        django.db.close_old_connections()


def _tell_of_failure(note: asyncio.Future) -> None:
    if not note.cancelled() and (error := note.exception()):
        journal.crash("Noting the last use", error)
