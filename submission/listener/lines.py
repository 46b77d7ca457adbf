"""Reading a line that a client sends as a command or an AUTH response. No Django.

A line ends at CRLF alone (RFC 5321 section 2.3.8). For some programs a bare LF or CR ends it as well: one
that passes on a text of strangers would pass on commands, which we had taken for that program's own. So
neither is ever the end of one command and the beginning of the next.
"""

from submission.listener import replies
from submission.listener.connection import Connection
from submission.listener.limits import MAX_LINE


class BadLine(Exception):
    """A line that is refused as a whole; `reply` says why.

    `is_open`: it has not ended, and nobody can know where it does: the connection must end with the reply.
    """

    def __init__(self, reply: str, *, is_open: bool = False):
        super().__init__(reply)
        self.reply, self.is_open = reply, is_open


async def read(connection: Connection) -> bytes:
    """Return a line without its CRLF. Raises BadLine."""
    dropped = b""  # the last byte of what is too long to be kept
    while (end := connection.received.find(b"\n")) < 0:
        if len(connection.received) > MAX_LINE:
            dropped = connection.take()[-1:]
        await connection.more()
    line = bytes(connection.received[: end + 1])
    del connection.received[: end + 1]
    if not (dropped + line).endswith(b"\r\n"):
        # At once: a client that ends its lines so would wait for an answer until the timeout.
        raise BadLine(replies.BARE_LF, is_open=True)
    if dropped or len(line) > MAX_LINE:
        raise BadLine(replies.LINE_TOO_LONG)
    if b"\r" in line[:-2]:
        raise BadLine(replies.BARE_CR)
    return line[:-2]
