"""Reading of a message after DATA: bounded in size and memory, ended only by CRLF.CRLF.

Memory holds one copy of each message, `content`, and counts that. So the dots of RFC 5321 section 4.5.2 are
removed as bytes arrive, not from the whole message.
"""

import asyncio
from collections.abc import Callable

from submission.listener import replies
from submission.listener.connection import ClientConnection
from submission.listener.limits import QUIET_SECONDS, Memory

END = b"\r\n.\r\n"
# Some clients believe that this ends a message. END contains the third, but is searched first.
MISTAKEN_ENDS = (b"\n.\n", b"\r.\n", b"\n.\r\n", b"\r.\r")


class IncomingMessage:
    """A message being received. `content` is without dot-stuffing; `refusal` is a reply or None.

    `is_open` after reading: the client waits for a reply but has not ended its message. It is unknown
    what its next bytes belong to, so the connection must end with the refusal.
    """

    def __init__(self, limit: int, memory: Memory):
        self._limit, self._memory = limit, memory
        self._held = 0
        self._seems_ended = False
        self._unread = b"\r\n"  # the end of the DATA command, so that an empty message ends as well
        self.content = bytearray()
        self.refusal: str | None = None
        self.is_open = True

    async def read(self, connection: ClientConnection, on_progress: Callable[[], None]) -> None:
        """Read up to the line with the dot, calling back for each chunk.

        A refused message is read and dropped, because the server may reply only after its end.
        Chunks are read instead of lines: a message of empty lines would block the loop for a
        minute.
        """
        while (chunk := await self._next(connection)) is not None:
            on_progress()
            raw = self._unread + chunk
            end = raw.find(END)
            if end >= 0:
                self.is_open = False
                # Bytes after the end are the next command (RFC 2920).
                connection.received[:0] = raw[end + len(END) :]
                self._take(raw[: end + 2])
                del self.content[:2]
                return
            self._seems_ended = self._seems_ended or any(mistaken in raw for mistaken in MISTAKEN_ENDS)
            border = _border(raw)
            self._unread = raw[border:]
            self._take(raw[:border])
        self._refuse(replies.BARE_NEWLINE)

    async def _next(self, connection: ClientConnection) -> bytearray | None:
        """Return the next bytes, or None if the client seems to wait for a reply to a mistaken end."""
        if not connection.received:
            try:
                async with asyncio.timeout(QUIET_SECONDS if self._seems_ended else None):
                    await connection.more()
            except TimeoutError:
                return None
        return connection.take()

    def release(self) -> None:
        """Free the memory."""
        self._memory.release(self._held)
        self._held, self.content = 0, bytearray()

    def _take(self, raw: bytes) -> None:
        if self.refusal:
            return
        text = raw.replace(b"\r\n.", b"\r\n")
        if len(self.content) + len(text) > self._limit + 2:  # the CRLF of the DATA command
            self._refuse(replies.TOO_BIG)
        elif not self._memory.take(len(text)):
            self._refuse(replies.NO_SPACE)
        else:
            self._held += len(text)
            self.content += text

    def _refuse(self, reply: str) -> None:
        self.refusal = self.refusal or reply
        self.release()


def _border(raw: bytes) -> int:
    """How many bytes can be stored: behind them END may begin, and no CRLF with a dot is split."""
    border = max(0, len(raw) - len(END) + 1)
    for newline, dot in ((b"\r\n", b"."), (b"\r", b"\n.")):
        if raw.endswith(newline, 0, border) and raw.startswith(dot, border):
            return border - len(newline)
    return border
