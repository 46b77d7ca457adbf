"""Reading a message after DATA: bounded in size and memory, the end found by CRLF.CRLF alone.

Of each message there is one copy, `content`, and that is what the account of memory counts: the dots of
RFC 5321 section 4.5.2 are taken away as the bytes come, not from the whole of them.
"""

import asyncio
from collections.abc import Callable

from submission.listener import replies
from submission.listener.connection import Connection
from submission.listener.limits import QUIET_SECONDS, Memory

END = b"\r\n.\r\n"
# Where some clients take their message for ended while it is not. END has the third in it, but is
# looked for first.
MISTAKEN_ENDS = (b"\n.\n", b"\r.\n", b"\n.\r\n", b"\r.\r")


class Message:
    """A message that comes in. `content` is without dot-stuffing; `refusal` is a reply or None.

    `is_open` after reading: the client waits for an answer, but has not ended its message. Nobody can
    know what its next bytes would belong to, so the connection must end with the refusal.
    """

    def __init__(self, limit: int, memory: Memory):
        self._limit, self._memory = limit, memory
        self._held = 0
        self._seems_ended = False
        self._unread = b"\r\n"  # of the DATA command: an empty message ends at once
        self.content = bytearray()
        self.refusal: str | None = None
        self.is_open = True

    async def read(self, connection: Connection, on_progress: Callable[[], None]) -> None:
        """Read up to the line with the dot, calling back at each chunk.

        What is refused is read and dropped: only after the end may the server answer.
        It goes by chunks: by lines, a message of empty ones would hold up the loop for a
        minute.
        """
        while (chunk := await self._next(connection)) is not None:
            on_progress()
            raw = self._unread + chunk
            end = raw.find(END)
            if end >= 0:
                self.is_open = False
                # What the client sent behind the end is its next command, RFC 2920.
                connection.received[:0] = raw[end + len(END) :]
                return self._finish(raw[: end + 2])
            self._seems_ended = self._seems_ended or any(mistaken in raw for mistaken in MISTAKEN_ENDS)
            taken = _border(raw)
            self._unread = raw[taken:]
            self._take(raw[:taken])
        self._refuse(replies.BARE_NEWLINE)

    async def _next(self, connection: Connection) -> bytearray | None:
        """The next bytes; None when the client seems to wait for the answer to a mistaken end."""
        if not connection.received:
            try:
                async with asyncio.timeout(QUIET_SECONDS if self._seems_ended else None):
                    await connection.more()
            except TimeoutError:
                return None
        return connection.take()

    def release(self) -> None:
        """Give the memory back."""
        self._memory.give_back(self._held)
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

    def _finish(self, raw: bytes) -> None:
        self._take(raw)
        self._unread = b""
        if not self.refusal:
            del self.content[:2]


def _border(raw: bytes) -> int:
    """How much of `raw` can be taken: no END begins before it, and no CRLF with a dot stands across it."""
    border = max(0, len(raw) - len(END) + 1)
    for newline, dot in ((b"\r\n", b"."), (b"\r", b"\n.")):
        if raw.endswith(newline, 0, border) and raw.startswith(dot, border):
            return border - len(newline)
    return border
