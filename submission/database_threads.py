"""Questions to the database, asked in threads so that nobody waits for another's.

Raises what UNAVAILABLE lists when there is no answer: never take that for a refusal.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import django.db

from credentials.usage.tally import Tally, pause_after
from submission import log

QUESTION_SECONDS = 15  # above the PostgreSQL pool's own 5
WRITE_EVERY_SECONDS = 1, 10  # a flood of logins is one write, and people see a login within seconds


class Busy(Exception):
    """Too many questions wait already."""


UNAVAILABLE = (django.db.Error, TimeoutError, Busy)


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


async def keep_writing(tally: Tally, workers: Workers, stopped: asyncio.Event) -> None:
    """Write a tally every second, less often when that takes long, until the event is set, and then once more.

    Never raises.
    """
    took = 0.0
    while not stopped.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), pause_after(took, WRITE_EVERY_SECONDS))
        started = time.monotonic()
        try:
            await workers.run(tally.write)
        except UNAVAILABLE as error:
            log.log.warning("Counted logins wait to be written: %s", type(error).__name__)
        except Exception as error:  # whatever it is, the logins after these are counted
            log.crash("Writing counted logins", error)
        took = time.monotonic() - started


def _with_sound_connection(function, *arguments):
    django.db.close_old_connections()
    try:
        return function(*arguments)
    finally:
        django.db.close_old_connections()
