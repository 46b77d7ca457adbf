"""The connection to a mail server, whose name may have several addresses."""

import asyncio
import socket

from submission.livecheck.faults import Failed, Fault
from web.workers import Busy, Workers

LOOK_UP_SHARE = 0.9  # of the time, so that a slow look-up can be distinguished from a slow connection

# The threads of the event loop are joined at exit, and a slow look-up can't be stopped.
_look_ups = Workers("look-ups", threads=8)


async def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Return a socket connected to the first address of a name that answers. Raises Failed, OSError."""
    try:
        async with asyncio.timeout(seconds * LOOK_UP_SHARE):
            addresses = await _look_ups.run(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
    except (TimeoutError, Busy):
        raise Failed(Fault.NAME_UNANSWERED) from None
    failure: OSError = TimeoutError()
    for family, kind, protocol, _name, address in addresses:
        try:
            # An address that drops all packets leaves time for the others.
            async with asyncio.timeout(seconds / len(addresses)):
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
