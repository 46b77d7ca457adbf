"""A client's connection: bytes in and out, with or without TLS, no SMTP."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine

from submission.ip import plain_ip
from submission.listener.limits import LINGER_SECONDS, MAX_UNREAD


class ClientConnection(asyncio.Protocol):
    """Runs `serve(connection)` as a task until the client goes away.

    `received` are the bytes that have not been read yet, little more than MAX_UNREAD: a client that sends
    faster has to wait, and `write` waits for a client that doesn't read.
    """

    def __init__(self, serve: Callable[["ClientConnection"], Coroutine]):
        self._serve = serve
        self.received = bytearray()
        self.is_secure = False
        self._arrived, self._writable = asyncio.Event(), asyncio.Event()
        self._writable.set()
        self._is_paused = self._is_in_handshake = False

    def connection_made(self, transport):
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.peer_ip = plain_ip(peer[0]) if peer else ""  # the client is gone already
        self.is_secure = transport.get_extra_info("sslcontext") is not None
        self._task = asyncio.get_running_loop().create_task(self._serve(self))

    def connection_lost(self, error):
        self._task.cancel()
        self._task = None  # avoids a reference cycle

    def data_received(self, data):
        self.received += data
        self._arrived.set()
        if len(self.received) > MAX_UNREAD and not self._is_in_handshake:
            self._is_paused = True
            self.transport.pause_reading()

    def pause_writing(self):
        self._writable.clear()

    def resume_writing(self):
        self._writable.set()

    @property
    def is_closing(self) -> bool:
        return self.transport.is_closing()

    async def more(self) -> None:
        """Wait until more bytes have arrived."""
        if self._is_paused:
            self._is_paused = False
            self.transport.resume_reading()
        self._arrived.clear()
        await self._arrived.wait()

    def take(self) -> bytearray:
        """Return all unread bytes."""
        taken, self.received = self.received, bytearray()
        return taken

    async def write(self, data: bytes) -> None:
        self.transport.write(data)
        await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Switch to TLS, and drop what was received before (RFC 3207 section 4.2). Raises OSError."""
        self.received.clear()
        self._is_in_handshake, self._is_paused = True, False
        loop = asyncio.get_running_loop()
        self.transport = await loop.start_tls(self.transport, self, context, server_side=True)
        self._is_in_handshake, self.is_secure = False, True

    def close(self, last: bytes) -> None:
        """Send the last reply and close. A client that doesn't read can't delay that for long."""
        if self.is_closing:
            return
        if not self._is_in_handshake:
            self.transport.write(last)
        self.transport.close()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self.abort)

    def abort(self) -> None:
        self.transport.abort()
