"""The listener: one asyncio loop that accepts connections until it is told to stop."""

import asyncio
import gc
import signal
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from submission import log
from submission.delivery.maildir import Maildir
from submission.delivery.next_hop import NextHop
from submission.delivery.relay import Relay
from submission.listener import replies
from submission.listener.limits import LINGER_SECONDS
from submission.listener.session import Session, Shared

GRACE_SECONDS = 5  # for sessions in a command; all in all below the 10 that supervisors give
BACKLOG = 512
COLLECT_EVERY_SECONDS = 5


async def serve(shared: Shared, address: str, port: int, *, ready: Callable, reload: Callable) -> None:
    """Listen until SIGTERM or SIGINT; `ready()` once it does, `reload()` at SIGHUP. Raises OSError."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_tell)
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    server = await loop.create_server(shared.connection, address, port, backlog=BACKLOG)
    ready()
    await _collect_until(told_to_stop)
    server.close()
    await _part(shared.sessions)


def next_hop(relay_url: str, outbox: Path, host: str) -> NextHop:
    """Return the relay of a URL, or the Maildir at `outbox` for "". Raises relay.BadURL, OSError."""
    return Relay.from_url(relay_url, host) if relay_url else Maildir(outbox)


def announced_name(host: str) -> str:
    """Return a host as RFC 5321 section 4.1.3 wants it in replies: an address in brackets."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


async def _collect_until(stopped: asyncio.Event) -> None:
    """Collect what ended sessions leave behind, until the event is set.

    Sessions that end by an error are reference cycles, with their buffers. Python itself looks for old ones
    only once they are a quarter of all there is, and beside Django that was 100 MB of them. What was loaded
    before is left out, so that a look takes some milliseconds.
    """
    gc.collect()
    gc.freeze()
    while not stopped.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), COLLECT_EVERY_SECONDS)
        gc.collect()


async def _part(sessions: dict[Session, None]) -> None:
    """Let sessions finish the command they are in, then close those that did not."""
    for session in list(sessions):
        session.stop()
    await _emptied(sessions, GRACE_SECONDS)
    for session in list(sessions):
        session.drop(replies.SHUTTING_DOWN)
    await _emptied(sessions, LINGER_SECONDS + 0.5)


async def _emptied(sessions, seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while sessions and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)


def _tell(_loop, context) -> None:
    log.crash(context["message"], context.get("exception"))
