"""Which credentials are used, and which are refused, as mail servers tell: gathered, then written together."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from credentials.models import Credential, Outcome
from credentials.refusals import Cause, RefusedLogins

MAX_WAITING = 20_000  # distinct (username, outcome, IP); what comes beyond is dropped
CHUNK = 500  # usernames in one question, below SQLite's limit of variables


@dataclass(slots=True)
class _Seen:
    number: int
    at: datetime


class Tally:
    """Logins since the last `write`. `add` is cheap and may be called in any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, Outcome | None, str], _Seen] = {}
        self.dropped = 0

    def add(self, username: str, ip: str, outcome: Outcome | None, *, at: datetime | None = None, number=1):
        """Count a login; `outcome` is None for one that was refused without a cause being told."""
        key, at = (username, outcome, ip), at or timezone.now()
        with self._lock:
            seen = self._seen.get(key)
            if seen:
                seen.number, seen.at = seen.number + number, max(seen.at, at)
            elif len(self._seen) < MAX_WAITING:
                self._seen[key] = _Seen(number, at)
            else:
                self.dropped += number

    def write(self) -> int:
        """Write what was gathered; return how many logins that were.

        Raises django.db.Error; then everything is kept for the next time.
        """
        with self._lock:
            batch, self._seen = self._seen, {}
        try:
            if batch:
                _write(batch)
        except BaseException:
            for (username, outcome, ip), seen in batch.items():
                self.add(username, ip, outcome, at=seen.at, number=seen.number)
            raise
        return sum(seen.number for seen in batch.values())


def _write(batch):
    with transaction.atomic():
        rows = _rows({username for username, _outcome, _ip in batch})
        refused: dict[tuple, list] = {}
        for (username, outcome, ip), seen in batch.items():
            credential = rows.get(username)
            if outcome is Outcome.ACCEPTED:
                # One that logs in all the time is asked for once a second, and written once a minute.
                if credential and not credential.is_use_noted(seen.at):
                    Credential.objects.note_use(credential, ip, at=seen.at)
            elif not (credential and credential.is_checked_from(ip, seen.at)):
                cause = _cause(credential, outcome, ip, seen.at)
                refused.setdefault((credential, cause), []).append((seen.at, ip, seen.number))
        for (credential, cause), logins in refused.items():
            _write_refusals(credential, cause, logins)


def _rows(usernames: Iterable[str]) -> dict[str, Credential]:
    usernames, rows = sorted(usernames), {}
    for start in range(0, len(usernames), CHUNK):
        chunk = usernames[start : start + CHUNK]
        found = Credential.objects.without_secrets().select_related("domain").filter(username__in=chunk)
        rows |= {credential.username: credential for credential in found}
    return rows


def _cause(credential, outcome, ip, at) -> Cause:
    if credential is None:
        return Cause.UNKNOWN_USERNAME
    if outcome is None:
        # Dovecot tells only that it refused: what is usable from there was given a wrong password.
        outcome = credential.outcome(at, ip)
        outcome = Outcome.WRONG_PASSWORD if outcome is Outcome.ACCEPTED else outcome
    return Cause[outcome.name]


def _write_refusals(credential, cause, logins):
    last_at, last_ip, _number = max(logins)
    number = sum(number for _at, _ip, number in logins)
    RefusedLogins.objects.count_up(credential, cause, number, at=last_at, ip=last_ip)
    if credential:
        Credential.objects.note_refusal(credential, cause, last_ip, at=last_at)
