"""Reading a message after DATA: bounded in size and memory, the end found by CRLF.CRLF alone."""

import asyncio
from collections.abc import Callable

from submission import replies
from submission.limits import Memory

CHUNK = 64 * 1024
END = b"\r\n.\r\n"


class Message:
    """A message that comes in. `content` is without dot-stuffing; `refusal` is a reply or None."""

    def __init__(self, limit: int, memory: Memory):
        self._limit, self._memory = limit, memory
        self._raw = bytearray(b"\r\n")  # of the DATA command: an empty message ends at once
        self._held = 0
        self.content = bytearray()
        self.refusal: str | None = None

    async def read(self, reader: asyncio.StreamReader, on_progress: Callable[[], None]) -> None:
        """Read up to the line with the dot (RFC 5321 section 4.5.2), calling back at each chunk.

        What is too much is read and dropped: only after the end may the server answer.
        It goes by chunks: by lines, a message of empty ones would hold up the loop for a
        minute. Raises asyncio.IncompleteReadError when the client goes away.
        """
        while chunk := await reader.read(CHUNK):
            on_progress()
            unsearched = max(0, len(self._raw) - len(END) + 1)
            self._raw += chunk
            end = self._raw.find(END, unsearched)
            if end >= 0:
                # What the client sent behind the end is its next command, RFC 2920.
                reader._buffer[:0] = self._raw[end + len(END) :]
                return self._finish(end)
            self._bound(len(chunk))
        raise asyncio.IncompleteReadError(b"", None)

    def release(self) -> None:
        """Give the memory back."""
        self._memory.give_back(self._held)
        self._held, self.content, self._raw = 0, bytearray(), bytearray()

    def _bound(self, size: int) -> None:
        if not self.refusal:
            if len(self._raw) > self._limit * 4 // 3 + CHUNK:  # dot-stuffing adds a third at most
                self.refusal = replies.TOO_BIG
            elif self._memory.take(size):
                self._held += size
            else:
                self.refusal = replies.NO_SPACE
        if self.refusal:
            tail = self._raw[-len(END) :]
            self.release()
            self._raw = tail

    def _finish(self, end: int) -> None:
        if not self.refusal:
            self.content = self._raw[: end + 2].replace(b"\r\n.", b"\r\n")[2:]
            if len(self.content) > self._limit:
                self.refusal = replies.TOO_BIG
        self._raw = bytearray()
