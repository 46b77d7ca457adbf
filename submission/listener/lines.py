"""Reading a line that a client sends as a command or an AUTH response. No Django.

A line ends at CRLF alone (RFC 5321 section 2.3.8). For some programs a bare LF or CR ends it as well: one
that passes on a text of strangers would pass on commands, which we had taken for that program's own. So
neither is ever the end of one command and the beginning of the next.
"""

import asyncio

from submission.listener import replies
from submission.listener.limits import MAX_LINE


class BadLine(Exception):
    """A line that is refused as a whole; `reply` says why.

    `is_open`: it has not ended, and nobody can know where it does: the connection must end with the reply.
    """

    def __init__(self, reply: str, *, is_open: bool = False):
        super().__init__(reply)
        self.reply, self.is_open = reply, is_open


async def read(reader: asyncio.StreamReader) -> bytes:
    """Return a line without its CRLF. Raises BadLine, asyncio.IncompleteReadError."""
    dropped = b""  # the last byte of what was more than the reader holds
    while True:
        try:
            line = await reader.readuntil(b"\n")
            break
        except asyncio.LimitOverrunError as error:
            dropped = (await reader.readexactly(error.consumed))[-1:]
    if not (dropped + line).endswith(b"\r\n"):
        # At once: who ends lines so would wait for an answer until the timeout.
        raise BadLine(replies.BARE_LF, is_open=True)
    if dropped or len(line) > MAX_LINE:
        raise BadLine(replies.LINE_TOO_LONG)
    if b"\r" in line[:-2]:
        raise BadLine(replies.BARE_CR)
    return line[:-2]
