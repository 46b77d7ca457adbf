"""Questions to the database, asked in threads so that no session waits for another's.

Raises what UNAVAILABLE lists when there is no answer: never take that for a refusal.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import django.db
from django.utils import timezone

from credentials.models import Credential, Outcome
from credentials.usage import Tally
from submission import journal, sasl

QUESTION_SECONDS = 15  # above the PostgreSQL pool's own 5
NOTE_SECONDS = 1  # a reply waits no longer for "last used"
WRITE_EVERY_SECONDS = 1  # refusals: a flood of them is one write a second


class Busy(Exception):
    """Too many questions wait already."""


UNAVAILABLE = (django.db.Error, TimeoutError, Busy)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What a session remembers of its login, to ask again at every message."""

    credential: Credential = field(repr=False)
    username: str
    domain: str
    ip: str
    verifier: str = field(repr=False)


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
        self._tally = Tally()

    async def judge(self, login: sasl.Login, ip: str) -> tuple[Outcome, LoggedIn | None]:
        """Judge a username and password from a client's address. Raises one of UNAVAILABLE."""
        judge = partial(Credential.objects.authenticate, *login, ip=ip)
        outcome, credential, verifier = await self._logins.run(judge)
        if outcome is not Outcome.ACCEPTED:
            # A username that can't be one is as unknown as any other, and may be a password.
            self._tally.add(credential.username if credential else "", ip, outcome)
            return outcome, None
        return outcome, LoggedIn(credential, credential.username, credential.domain.name, ip, verifier)

    async def still_valid(self, login: LoggedIn) -> bool:
        """Whether the credential would be accepted now, with the same password. Raises one of UNAVAILABLE."""
        return await self._checks.run(_still_valid, login)

    async def note_use(self, login: LoggedIn) -> None:
        """Remember the use. Never raises: a login does not fail for its footnote."""
        note = asyncio.ensure_future(self._notes.run(Credential.objects.note_use, login.credential, login.ip))
        note.add_done_callback(_tell_of_failure)
        await asyncio.wait([note], timeout=NOTE_SECONDS)

    async def write_refusals(self, stopped: asyncio.Event) -> None:
        """Write the refused logins every second until the event is set, and once more then."""
        while not stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), WRITE_EVERY_SECONDS)
            try:
                await self._notes.run(self._tally.write)
            except UNAVAILABLE as error:
                journal.log.warning("Refused logins wait to be written: %s", type(error).__name__)

    def close(self) -> None:
        for workers in (self._logins, self._checks, self._notes):
            workers.close()


def _still_valid(login: LoggedIn) -> bool:
    rows = Credential.objects.select_related("domain").defer("password_sealed")
    credential = rows.filter(pk=login.credential.pk).first()
    return credential is not None and credential.still_takes(login.verifier, timezone.now(), login.ip)


def _with_sound_connection(function, *arguments):
    django.db.close_old_connections()
    try:
        return function(*arguments)
    finally:
        django.db.close_old_connections()


def _tell_of_failure(note: asyncio.Future) -> None:
    if not note.cancelled() and (error := note.exception()):
        journal.crash("Noting the last use", error)
