"""Reading of lines: commands and AUTH responses. No Django.

Only CRLF ends a line (RFC 5321 section 2.3.8). A program that forwards text of strangers may treat a bare
LF or CR as part of the line. If it ended a command here, the strangers could inject commands.
"""

from submission.listener import replies
from submission.listener.connection import ClientConnection
from submission.listener.limits import MAX_COMMAND_LINE


class BadLine(Exception):
    """A line that is refused; `reply` says why.

    `is_open`: its end is unknown, so the connection must end with the reply.
    """

    def __init__(self, reply: str, *, is_open: bool = False):
        super().__init__(reply)
        self.reply, self.is_open = reply, is_open


async def read(connection: ClientConnection) -> bytes:
    """Return a line without its CRLF. Raises BadLine."""
    dropped = b""  # the last byte of the part of a too long line that is dropped
    while (end := connection.received.find(b"\n")) < 0:
        if len(connection.received) > MAX_COMMAND_LINE:
            dropped = connection.take()[-1:]
        await connection.more()
    line = bytes(connection.received[: end + 1])
    del connection.received[: end + 1]
    if not (dropped + line).endswith(b"\r\n"):
        # Refused at once: a client that uses bare LFs would wait for a reply until the timeout.
        raise BadLine(replies.BARE_LF, is_open=True)
    if dropped or len(line) > MAX_COMMAND_LINE:
        raise BadLine(replies.LINE_TOO_LONG)
    if b"\r" in line[:-2]:
        raise BadLine(replies.BARE_CR)
    return line[:-2]
