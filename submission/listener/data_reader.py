"""Reading of a message after DATA: bounded in size and memory, ended only by CRLF.CRLF.

Memory holds one copy of each message, `content`, and counts that. So the dots of RFC 5321 section 4.5.2 are
removed and lines are mended as bytes arrive, not in the whole message.
"""

import asyncio
from collections.abc import Callable

from submission.listener import normal_form, replies
from submission.listener.connection import ClientConnection
from submission.listener.limits import QUIET_SECONDS, Memory

DOT = b".\r\n"
END = b"\r\n" + DOT
# Some clients believe that this ends a message.
MISTAKEN_ENDS = (b"\n.\n", b"\r.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n")


class IncomingMessage:
    """A message being received. `content` is without dot-stuffing; `refusal` is a reply or None.

    `is_open` after reading: the client waits for a reply but has not ended its message. It is unknown
    what its next bytes belong to, so the connection must end with the refusal.
    """

    def __init__(self, limit: int, memory: Memory):
        self._limit, self._memory = limit, memory
        self._held = 0
        self._unread = bytearray()  # an unfinished line
        self._is_after_crlf = True
        self._last = b""  # the last bytes that were received
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
            self._last = (self._last + chunk[-len(END) :])[-len(END) :]
            raw = self._unread + chunk
            if (end := self._end_in(raw)) >= 0:
                self.is_open = False
                # Bytes after the end are the next command (RFC 2920).
                connection.received[:0] = raw[end + len(DOT) :]
                self._take(raw[:end])
                return
            whole = raw.rfind(b"\n") + 1
            self._take(raw[:whole])
            self._unread = self._take_pieces(raw[whole:])
        self._refuse(replies.BARE_NEWLINE)

    def _end_in(self, raw: bytearray) -> int:
        """The position of the line with the dot, or -1."""
        if self._is_after_crlf and raw.startswith(DOT):
            return 0
        end = raw.find(END)
        return end if end < 0 else end + len(END) - len(DOT)

    async def _next(self, connection: ClientConnection) -> bytearray | None:
        """Return the next bytes, or None if the client seems to wait for a reply to a mistaken end."""
        if not connection.received:
            seems_ended = self._last.endswith(MISTAKEN_ENDS)
            try:
                async with asyncio.timeout(QUIET_SECONDS if seems_ended else None):
                    await connection.more()
            except TimeoutError:
                return None
        return connection.take()

    def release(self) -> None:
        """Free the memory."""
        self._memory.release(self._held)
        self._held, self.content = 0, bytearray()

    def _take(self, lines: bytearray) -> None:
        """Store whole lines."""
        if not lines:
            return
        self._is_after_crlf = lines.endswith(b"\r\n")
        if not self.refusal:
            text = normal_form.normalize(lines).replace(b"\r\n.", b"\r\n")
            self._store(text[1:] if text.startswith(b".") else text)

    def _take_pieces(self, line: bytearray) -> bytearray:
        """Store what can be stored of an unfinished line that is too long; return the rest, to go on with."""
        if len(line) <= normal_form.MAX_LINE + 1:
            return line
        self._is_after_crlf = False
        *pieces, rest = normal_form.break_line(line[1:] if line.startswith(b".") else line)
        self._store(b"".join(piece.replace(b"\r", b" ") + b"\r\n" for piece in pieces))
        return bytearray(rest)

    def _store(self, text: bytes) -> None:
        if self.refusal:
            return
        if len(self.content) + len(text) > self._limit:
            self._refuse(replies.TOO_BIG)
        elif not self._memory.take(len(text)):
            self._refuse(replies.NO_SPACE)
        else:
            self._held += len(text)
            self.content += text

    def _refuse(self, reply: str) -> None:
        self.refusal = self.refusal or reply
        self.release()
