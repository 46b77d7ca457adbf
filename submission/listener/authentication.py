"""Logins and their re-checks, asked of the database."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from django.utils import timezone

from credentials import digests
from credentials.models import Credential
from credentials.models.base import is_username
from credentials.outcome import Outcome
from credentials.usage.tally import Tally
from submission.listener import sasl
from submission.write_behind import keep_writing
from web.workers import Workers


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
        self._logins = Workers("logins", threads=3, waiting=100, keep=True)
        self._checks = Workers("checks", threads=2, waiting=500, keep=True)
        self._notes = Workers("notes", threads=1, waiting=100, keep=True)
        self._tally = Tally()

    async def judge(self, login: sasl.Login, ip: str) -> tuple[Outcome, LoggedIn | None]:
        """Judge a username and password from a client's address. Raises one of UNAVAILABLE."""
        judge = partial(Credential.objects.authenticate, *login, ip=ip)
        outcome, credential, verifier, is_previous = await self._logins.run(judge)
        if outcome is not Outcome.ACCEPTED:
            # A username that can't be one is as unknown as any other, and may be a password.
            known = is_username(login.username)
            digest = digests.digest(*login) if known else ""
            self._tally.add(login.username if known else "", ip, outcome, digest=digest)
            return outcome, None
        self._tally.add(credential.username, ip, outcome, is_previous=is_previous)
        return outcome, LoggedIn(credential, credential.username, credential.domain.name, ip, verifier)

    async def still_valid(self, login: LoggedIn) -> bool:
        """Whether the credential would be accepted now, with the same password. Raises one of UNAVAILABLE."""
        return await self._checks.run(_still_valid, login)

    def note_message(self, login: LoggedIn, host_name: str, mail_from: str) -> None:
        """Count the names that the client of a message gave."""
        self._tally.add_message(login.username, login.ip, ehlo=host_name, mail_from=mail_from)

    async def write_counts(self, stopped: asyncio.Event) -> None:
        """Write what logins came to every second until the event is set, and once more then."""
        await keep_writing(self._tally, self._notes, stopped)

    def close(self) -> None:
        for workers in (self._logins, self._checks, self._notes):
            workers.close()


def _still_valid(login: LoggedIn) -> bool:
    rows = Credential.objects.select_related("domain").defer("password_sealed")
    credential = rows.filter(pk=login.credential.pk).first()
    return credential is not None and credential.still_takes(login.verifier, timezone.now(), login.ip)
