"""TLS of one connection, on bytes only (ssl.MemoryBIO). No sockets, no asyncio.

asyncio's own TLS closes a connection whose handshake fails without sending the alert that OpenSSL has made, so
that the user of an old client reads nothing but "connection closed". It also holds 256 KB for each connection.
"""

import ssl
from contextlib import suppress

READ_SIZE = 64 * 1024


class TlsLayer:
    """The server's side of a TLS connection. What `receive` leaves in `outgoing` has to be sent."""

    def __init__(self, context: ssl.SSLContext):
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.is_established = self.is_ended = False

    def receive(self, data: bytes) -> bytearray:
        """Return the plaintext of received bytes. Raises ssl.SSLError, whose alert is then in `outgoing`.

        `is_established` and `is_ended` say whether the handshake is complete, and whether the client has
        ended TLS (close_notify).
        """
        plaintext = bytearray()
        self._incoming.write(data)
        with suppress(ssl.SSLWantReadError):
            if not self.is_established:
                self._session.do_handshake()
                self.is_established = True
            while chunk := self._session.read(READ_SIZE):
                plaintext += chunk
            self.is_ended = True
        return plaintext

    def outgoing(self) -> bytes:
        """Return the bytes that have to be sent to the client."""
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        """Return what has to be sent for a plaintext."""
        self._session.write(data)
        return self._outgoing.read()

    def end(self) -> bytes:
        """Return the close_notify. The client's is not waited for (RFC 8446 section 6.1)."""
        with suppress(ssl.SSLError):
            self._session.unwrap()
        return self._outgoing.read()
