"""Reports to the primary that this machine's mail server is alive and, with a replica, what was revoked there.

Mail goes on whatever fails here: it has threads of its own, and tries again.
"""

import asyncio
import time
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, Value
from django.db.models.functions import Now

from credentials.models import Node, RefusalSeen
from credentials.models.batches import CHUNK
from submission import log
from submission.nodes.replica import ALIAS, Replica
from web.workers import UNAVAILABLE, Workers

# Seconds.
LOOK_EVERY = 0.2
REPORT_EVERY, REPORT_EVERY_WITHOUT_REPLICA = 1, 10
ANSWER_SECONDS = 10
MAX_WAITING = 5_000  # revocations that the primary wasn't told of yet; beyond, the replica is not asked

FAILED = object()


class Reporter:
    """Reports one service of this machine; `role` is a Node.Role. Only that of Postfix looks at the replica."""

    def __init__(self, role: str):
        self._role = role
        self._has_replica = role == Node.Role.POSTFIX and ALIAS in settings.DATABASES
        self._heartbeat_at: datetime | None = None
        self._clock: tuple[datetime, float] | None = None  # the replica's, and when, by time.monotonic()
        self._waiting: dict[int, float] = {}  # event → when it was seen, by time.monotonic()
        self._failing: set[str] = set()

    async def run(self, stopped: asyncio.Event) -> None:
        """Report until the event is set. Never raises."""
        readers = Workers("replica", threads=1, seconds=ANSWER_SECONDS, keep=True)
        writers = Workers("nodes", threads=1, seconds=ANSWER_SECONDS, keep=True)
        loops = [self._report_until(stopped, writers)]
        if self._has_replica:
            loops.append(self._look_until(stopped, readers))
        try:
            await asyncio.gather(*loops)
        finally:
            readers.close()
            writers.close()

    async def _look_until(self, stopped, workers) -> None:
        replica = Replica()
        while not stopped.is_set():
            if len(self._waiting) < MAX_WAITING:
                look = await self._try("The replica can't be asked", workers, replica.look)
                if look is FAILED:
                    # What it has found in the meantime would be left out. And after a failover, the ids of
                    # events that were lost may be those of others.
                    replica = Replica()
                    self._waiting.clear()
                else:
                    self._heartbeat_at = look.heartbeat_at or self._heartbeat_at
                    self._clock = look.clock, look.at
                    self._waiting |= dict.fromkeys(look.events, time.monotonic())
            await _pause(stopped, LOOK_EVERY)

    async def _report_until(self, stopped, workers) -> None:
        every = REPORT_EVERY if self._has_replica else REPORT_EVERY_WITHOUT_REPLICA
        due = 0.0
        while not stopped.is_set():
            has_failed = False
            if time.monotonic() >= due or self._waiting:
                batch = dict(islice(self._waiting.items(), CHUNK))
                report = "This node can't be reported to the dashboard's database"
                has_failed = await self._try(report, workers, self._report, batch) is FAILED
                for event in () if has_failed else batch:
                    self._waiting.pop(event, None)
                due = time.monotonic() + every
            await _pause(stopped, every if has_failed or not self._has_replica else LOOK_EVERY)

    def _report(self, batch: dict[int, float]) -> None:
        columns: dict[str, Any] = {"version": settings.VERSION, "has_replica": self._has_replica}
        if self._heartbeat_at:
            columns["heartbeat_at"] = self._heartbeat_at
        if self._clock:
            clock, at = self._clock
            connection.ensure_connection()  # that may take a while
            now = Value(clock + timedelta(seconds=time.monotonic() - at), DateTimeField())
            columns["clock_behind"] = ExpressionWrapper(Now() - now, DurationField())
        node = Node.objects.report(settings.NODE_NAME, self._role, **columns)
        now = time.monotonic()
        RefusalSeen.objects.confirm(node, [(event, timedelta(seconds=now - at)) for event, at in batch.items()])

    async def _try(self, failure: str, workers: Workers, function, *arguments) -> Any:
        """Return what a call returns, or FAILED. An outage is logged once, and its end."""
        try:
            result = await workers.run(function, *arguments)
        except UNAVAILABLE as error:
            if failure not in self._failing:
                log.logger.warning("%s: %s", failure, type(error).__name__)
        except Exception as error:
            if failure not in self._failing:
                log.crash(failure, error)
        else:
            if failure in self._failing:
                log.logger.info("No longer: %s", failure)
            self._failing.discard(failure)
            return result
        self._failing.add(failure)
        return FAILED


async def _pause(stopped: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), seconds)
