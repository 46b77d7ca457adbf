"""Logins and their re-checks, asked of the database."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from django.utils import timezone

from credentials.models import Credential, Outcome
from credentials.usage import Tally
from submission import journal, sasl
from submission.workers import Workers, keep_writing

NOTE_SECONDS = 1  # a reply waits no longer for "last used"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What a session remembers of its login, to ask again at every message."""

    credential: Credential = field(repr=False)
    username: str
    domain: str
    ip: str
    verifier: str = field(repr=False)


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
        await keep_writing(self._tally, self._notes, stopped)

    def close(self) -> None:
        for workers in (self._logins, self._checks, self._notes):
            workers.close()


def _still_valid(login: LoggedIn) -> bool:
    rows = Credential.objects.select_related("domain").defer("password_sealed")
    credential = rows.filter(pk=login.credential.pk).first()
    return credential is not None and credential.still_takes(login.verifier, timezone.now(), login.ip)


def _tell_of_failure(note: asyncio.Future) -> None:
    if not note.cancelled() and (error := note.exception()):
        journal.crash("Noting the last use", error)
