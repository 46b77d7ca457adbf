"""A client's connection: bytes in and out, with or without TLS, no SMTP."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine

from submission.ip import plain_ip
from submission.listener.limits import LINGER_SECONDS, MAX_UNREAD
from submission.listener.tls_layer import TlsLayer


class ClientConnection(asyncio.Protocol):
    """Runs `serve(connection)` as a task until the client goes away.

    `received` are the bytes that have not been read yet, little more than MAX_UNREAD: a client that sends
    faster has to wait, and `write` waits for a client that doesn't read.
    """

    def __init__(self, serve: Callable[["ClientConnection"], Coroutine], context: ssl.SSLContext | None = None):
        """With a `context`, TLS begins at once; the task that serves has to wait for the handshake."""
        self._serve = serve
        self.received = bytearray()
        self._tls = TlsLayer(context) if context else None
        self._handshake = asyncio.get_running_loop().create_future()
        self._arrived, self._writable = asyncio.Event(), asyncio.Event()
        self._writable.set()
        self._is_paused = False

    def connection_made(self, transport):
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.peer_ip = plain_ip(peer[0]) if peer else ""  # the client is gone already
        self._task = asyncio.get_running_loop().create_task(self._serve(self))

    def connection_lost(self, error):
        self._task.cancel()
        self._task = None  # avoids a reference cycle

    def data_received(self, data):
        if self._tls:
            data = self._decrypt(self._tls, data)
        self.received += data
        self._arrived.set()
        if len(self.received) > MAX_UNREAD and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    def pause_writing(self):
        """Take nothing more from a client that doesn't read: TLS also answers what is no plaintext."""
        self._writable.clear()
        self.transport.pause_reading()

    def resume_writing(self):
        self._writable.set()
        if not self._is_paused:
            self.transport.resume_reading()

    @property
    def is_closing(self) -> bool:
        return self.transport.is_closing()

    @property
    def is_secure(self) -> bool:
        return self._tls is not None and self._tls.is_established

    async def more(self) -> None:
        """Wait until more bytes have arrived."""
        self._resume_reading()
        self._arrived.clear()
        await self._arrived.wait()

    def take(self) -> bytearray:
        """Return all unread bytes."""
        taken, self.received = self.received, bytearray()
        return taken

    async def write(self, data: bytes) -> None:
        if self.is_closing:  # TLS can be ended already
            return
        self.transport.write(self._tls.encrypt(data) if self._tls else data)
        await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Switch to TLS, and drop what was received before (RFC 3207 section 4.2).

        Raises ssl.SSLError after a failed handshake: the client has been sent an alert, and the connection
        is being closed.
        """
        self._tls = TlsLayer(context)
        self.received.clear()
        self._resume_reading()
        await self.handshake()

    async def handshake(self) -> None:
        """Wait for the end of the handshake. Raises ssl.SSLError as `start_tls` does."""
        await self._handshake

    def close(self, last: bytes) -> None:
        """Send the last reply and close. A client that doesn't read can't delay that for long."""
        if self.is_closing:
            return
        if self.is_secure:
            last = self._tls.encrypt(last) + self._tls.end()
        if self.is_secure or not self._tls:
            self.transport.write(last)
        self._close()

    def abort(self) -> None:
        self.transport.abort()

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        plaintext, failure = b"", None
        try:
            plaintext = tls.receive(data)
        except ssl.SSLError as error:
            failure = error
        self.transport.write(tls.end() if tls.is_ended else tls.outgoing())
        if not self._handshake.done():
            if failure:
                self._handshake.set_exception(failure)
            elif tls.is_established:
                self._handshake.set_result(None)
        if failure or tls.is_ended:
            self._close()
        return plaintext

    def _resume_reading(self) -> None:
        if self._is_paused:
            self._is_paused = False
            if self._writable.is_set():
                self.transport.resume_reading()

    def _close(self) -> None:
        self.transport.close()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self.abort)
