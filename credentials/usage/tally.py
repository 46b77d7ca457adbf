"""Which credentials are used and which are refused, as mail servers report: gathered, then written together."""

import threading
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from credentials.models.batches import may_pass
from credentials.outcome import Outcome
from credentials.usage import writer
from credentials.usage.attempts import Attempt, Counted, names

MAX_WAITING = 20_000  # distinct attempts; of what comes beyond only the number is kept
WRITING_SHARE = 0.02  # of the time: the more there is to write, the more is gathered first
UNCOUNTED = Attempt("", "", Outcome.UNCOUNTED)


def pause_after(took: float, every: tuple[float, float]) -> float:
    """Return the seconds until the next write, after one of `took` seconds."""
    least, most = every
    return min(max(least, took / WRITING_SHARE), most)


class Tally:
    """Logins since the last `write`. `add` and `add_message` are cheap and may be called in any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._seen: dict[Attempt, Counted] = {}
        self._committing = ""  # the id of the transaction that is being committed
        self._in_doubt: list[tuple[str, dict[Attempt, Counted]]] = []  # those whose COMMIT got no answer

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
        at = at or timezone.now()
        counted = Counted(number, at, at)
        if outcome is Outcome.ACCEPTED and is_previous:
            counted.previous_at = at
        elif outcome is Outcome.ACCEPTED:
            counted.current_at = at
        self._put(Attempt(username, ip, outcome, digest, is_previous), counted)

    def add_message(self, username: str, ip: str, *, ehlo: str, mail_from: str):
        """Keep the names that a signed-in client gave with a message."""
        now = timezone.now()
        self._put(Attempt(username, ip, Outcome.ACCEPTED), Counted(0, now, now, names(ehlo), names(mail_from)))

    def write(self):
        """Write what was gathered.

        Raises django.db.Error; then everything is kept for the next time. Raises anything else where we
        fail by a login; then that one is dropped and the others are written.
        """
        self._settle()
        with self._lock:
            batch, self._seen = self._seen, {}
        try:
            self._write(batch)
        except Exception as error:
            if may_pass(error):
                self._take_back(batch)
            else:
                self._write_each(batch)
            raise

    def _write(self, batch):
        self._committing = ""
        if batch:
            with transaction.atomic():
                writer.write(batch)
                self._committing = writer.transaction_id()

    def _take_back(self, batch):
        """Keep a batch that failed; or until it's known, if the connection broke while it was committed."""
        if self._committing:
            self._in_doubt.append((self._committing, batch))
        else:
            self._keep(batch)

    def _settle(self):
        """Keep what was in doubt and was not committed after all. Raises django.db.Error."""
        while self._in_doubt:
            transaction_id, batch = self._in_doubt[-1]
            if not writer.has_committed(transaction_id):
                self._keep(batch)
            self._in_doubt.pop()

    def _write_each(self, batch):
        left = dict(batch)
        while left:
            attempt, counted = next(iter(left.items()))
            try:
                self._write({attempt: counted})
            except Exception as error:
                if may_pass(error):
                    del left[attempt]
                    self._take_back({attempt: counted})
                    return self._keep(left)
                self._put(UNCOUNTED, counted)
            del left[attempt]

    def _keep(self, batch):
        for attempt, counted in batch.items():
            self._put(attempt, counted)

    def _put(self, attempt, counted):
        with self._lock:
            if attempt not in self._seen and len(self._seen) >= MAX_WAITING:
                attempt = UNCOUNTED
            if attempt in self._seen:
                self._seen[attempt].add(counted)
            else:
                self._seen[attempt] = counted
