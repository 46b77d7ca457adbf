"""The listener: an asyncio loop that accepts connections until it gets a signal to stop."""

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
from submission.listener.session import Listener, Session

STOP_SECONDS = 5  # for sessions to finish a command; the total stays below the 10 s of supervisors
BACKLOG = 512
COLLECT_EVERY_SECONDS = 5


async def serve(
    listener: Listener,
    addresses: list[str],
    port: int,
    tls_port: int | None,
    *,
    ready: Callable,
    reload: Callable,
) -> None:
    """Listen on all addresses until SIGTERM or SIGINT, on `tls_port` with TLS from the start, if there is one.

    Call `ready()` once it listens, `reload()` on SIGHUP. Raises OSError.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_exception)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    # The port with STARTTLS last: whoever waits for it finds both.
    ports = ({tls_port: listener.tls_connection} if tls_port else {}) | {port: listener.connection}
    servers = [
        await loop.create_server(connection, addresses, number, backlog=BACKLOG)
        for number, connection in ports.items()
    ]
    ready()
    await _collect_until(stopped)
    for server in servers:
        server.close()
    await _end(listener.sessions)


def next_hop(relay_url: str, outbox: Path, host: str) -> NextHop:
    """Return the relay of a URL, or the Maildir at `outbox` for "". Raises relay.BadURL, OSError."""
    return Relay.from_url(relay_url, host) if relay_url else Maildir(outbox)


def announced_name(host: str) -> str:
    """Return a host as replies contain it: an address in brackets (RFC 5321 section 4.1.3)."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


async def _collect_until(stopped: asyncio.Event) -> None:
    """Collect the reference cycles that ended sessions leave behind, until the event is set.

    Transports of asyncio, and failed TLS handshakes with their buffers, are such cycles. Python collects old
    ones only when they make up a quarter of all objects: beside Django, that was 100 MB. Objects from before
    the start are frozen, so that a collection takes some milliseconds.
    """
    gc.collect()
    gc.freeze()
    while not stopped.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), COLLECT_EVERY_SECONDS)
        gc.collect()


async def _end(sessions: dict[Session, None]) -> None:
    """Let sessions finish their current command, then close the others."""
    for session in list(sessions):
        session.stop()
    await _wait_until_empty(sessions, STOP_SECONDS)
    for session in list(sessions):
        session.drop(replies.SHUTTING_DOWN)
    await _wait_until_empty(sessions, LINGER_SECONDS + 0.5)


async def _wait_until_empty(sessions, seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while sessions and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)


def _log_exception(_loop, context) -> None:
    log.crash(context["message"], context.get("exception"))
