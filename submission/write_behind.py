"""Counted logins, written to the database every few seconds instead of one by one."""

import asyncio
import time
from contextlib import suppress

from credentials.usage.tally import Tally, pause_after
from submission import log
from web.workers import UNAVAILABLE, Workers

# A flood of logins is one write; people see a login within seconds.
WRITE_EVERY_SECONDS = 1, 5


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
            log.logger.warning("Counted logins wait to be written: %s", type(error).__name__)
        except Exception as error:  # whatever it is, the logins after these are counted
            log.crash("Writing counted logins", error)
        took = time.monotonic() - started
