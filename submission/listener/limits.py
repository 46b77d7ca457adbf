"""Limits of one client and of all together. No Django, no sockets."""

from dataclasses import dataclass

LOGIN_TRIES = 3  # AUTH commands of one connection
MAX_ERRORS = 20  # 4yz and 5yz replies between two accepted messages
MAX_COMMAND_LINE = 1000  # octets of a command or an AUTH response, with its CRLF
MAX_UNREAD = 64 * 1024  # bytes received and not yet read; the client has to wait then
MAX_HELLO_NAME = 255
DATA_SECONDS = 600  # to receive a whole message
DELIVERY_SECONDS = 590  # to judge and deliver a whole message; clients wait 600 (RFC 5321 section 4.5.3.2.6)
QUIET_SECONDS = 2  # to wait for more of a message that seems to have ended, before it is refused
LINGER_SECONDS = 1  # for the last reply to reach the client before the connection is cut
MAX_HELD = 256 * 1024 * 1024  # bytes of messages in memory, in all sessions


@dataclass(frozen=True)
class Limits:
    """The limits that an operator sets, in bytes, counts and seconds."""

    message_size: int = 25 * 1024 * 1024
    recipients: int = 1000
    connections: int = 500
    connections_per_ip: int = 20
    wrong_logins_per_ip: int = 50
    command_seconds: float = 60
    login_seconds: float = 60


class Memory:
    """A count of the bytes of messages in memory."""

    def __init__(self, size: int = MAX_HELD):
        self._free = size

    def take(self, size: int) -> bool:
        """Count more bytes; False if that is too much."""
        if size > self._free:
            return False
        self._free -= size
        return True

    def release(self, size: int) -> None:
        self._free += size
