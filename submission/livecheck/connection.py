"""The connection to a mail server, whose name may have several addresses."""

import asyncio
import socket

from submission.livecheck.faults import Failed, Fault
from web.workers import Busy, Workers

LOOK_UP_SHARE = 0.9  # of the time; so that a slow look-up is known from a slow connection

# Not the loop's threads: asyncio waits for them at its end, and nothing stops a slow look-up.
_look_ups = Workers("look-ups", threads=8)


async def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Return a socket connected to the first address of a name that answers. Raises Failed, OSError."""
    try:
        async with asyncio.timeout(seconds * LOOK_UP_SHARE):
            found = await _look_ups.run(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
    except (TimeoutError, Busy):
        raise Failed(Fault.NAME_UNANSWERED) from None
    failure: OSError = TimeoutError()
    for family, kind, protocol, _name, address in found:
        try:
            # One address that swallows everything leaves time for the next.
            async with asyncio.timeout(seconds / len(found)):
                return await _connect(family, kind, protocol, address)
        except OSError as error:
            failure = error
    raise failure


async def _connect(family: int, kind: int, protocol: int, address: tuple) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock
