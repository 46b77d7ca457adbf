"""Logins and their re-checks against the database."""

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
    """A login that a session has, to be checked again for every message."""

    credential: Credential = field(repr=False)
    username: str
    domain: str
    ip: str
    verifier: str = field(repr=False)


class Logins:
    """Logins and their re-checks, each with its own threads, so that a flood of one doesn't delay the other.

    Together they use fewer connections than the PostgreSQL pool has.
    """

    def __init__(self):
        self._logins = Workers("logins", threads=3, waiting=100, keep=True)
        self._checks = Workers("checks", threads=2, waiting=500, keep=True)
        self._writers = Workers("writers", threads=1, waiting=100, keep=True)
        self._tally = Tally()

    async def judge(self, login: sasl.LoginAttempt, ip: str) -> tuple[Outcome, LoggedIn | None]:
        """Judge a username and password from a client's address. Raises one of UNAVAILABLE."""
        judge = partial(Credential.objects.authenticate, *login, ip=ip)
        outcome, credential, verifier, is_previous = await self._logins.run(judge)
        if outcome is not Outcome.ACCEPTED:
            # What can't be a username isn't stored: it may be a password.
            is_possible = is_username(login.username)
            digest = digests.digest(*login) if is_possible else ""
            self._tally.add(login.username if is_possible else "", ip, outcome, digest=digest)
            return outcome, None
        self._tally.add(credential.username, ip, outcome, is_previous=is_previous)
        return outcome, LoggedIn(credential, credential.username, credential.domain.name, ip, verifier)

    async def still_valid(self, login: LoggedIn) -> bool:
        """Whether the credential and its password would still be accepted. Raises one of UNAVAILABLE."""
        return await self._checks.run(_still_valid, login)

    def note_message(self, login: LoggedIn, host_name: str, mail_from: str) -> None:
        """Count the names that the client of a message has used."""
        self._tally.add_message(login.username, login.ip, ehlo=host_name, mail_from=mail_from)

    async def write_counts(self, stopped: asyncio.Event) -> None:
        """Write the counts every second until the event is set, and once more after it."""
        await keep_writing(self._tally, self._writers, stopped)

    def close(self) -> None:
        for workers in (self._logins, self._checks, self._writers):
            workers.close()


def _still_valid(login: LoggedIn) -> bool:
    rows = Credential.objects.select_related("domain").defer("password_sealed")
    credential = rows.filter(pk=login.credential.pk).first()
    return credential is not None and credential.still_takes(login.verifier, timezone.now(), login.ip)
