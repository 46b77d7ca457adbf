"""How much one client, and all of them together, may take. No Django, no sockets."""

from dataclasses import dataclass

LOGIN_TRIES = 3  # AUTH commands of one connection
MAX_ERRORS = 20  # 4yz and 5yz replies between two accepted messages
MAX_RECIPIENTS = 100  # RFC 5321 section 4.5.3.1.8 asks for at least as many
MAX_LINE = 1000  # octets of a command or an AUTH response, with its CRLF
MAX_UNREAD = 64 * 1024  # bytes that a client may send ahead of what is read
MAX_HELLO_NAME = 255
DATA_SECONDS = 600  # for one whole message to come in
ANSWER_SECONDS = 300  # for a whole message to be judged and handed on
QUIET_SECONDS = 2  # of a client that seems to have ended its message, before it is told that it has not
LINGER_SECONDS = 1  # for the last reply to reach a client that is closed on
MAX_HELD = 256 * 1024 * 1024  # bytes of messages in memory, all sessions together


@dataclass(frozen=True)
class Limits:
    """The limits an operator sets: bytes, counts, seconds."""

    message_size: int = 25 * 1024 * 1024
    connections: int = 500
    connections_per_ip: int = 20
    wrong_logins_per_ip: int = 50
    command_seconds: float = 60
    login_seconds: float = 60


class Memory:
    """Counts the bytes of messages that sessions hold."""

    def __init__(self, size: int = MAX_HELD):
        self._free = size

    def take(self, size: int) -> bool:
        """Count some more; False when that is too much."""
        if size > self._free:
            return False
        self._free -= size
        return True

    def give_back(self, size: int) -> None:
        self._free += size
