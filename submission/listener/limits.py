"""How much one client, and all of them together, may take. No Django, no sockets."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from submission.ip import client_of

LOGIN_TRIES = 3  # AUTH commands of one connection
MAX_ERRORS = 20  # 4yz and 5yz replies between two accepted messages
MAX_RECIPIENTS = 100  # RFC 5321 section 4.5.3.1.8 asks for at least as many
MAX_LINE = 1000  # octets of a command or an AUTH response, with its CRLF
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


class Connections:
    """Counts open connections, by client.

    `make_room()` is asked for a place when all are taken: it ends a connection and calls `leave` for it,
    or returns False.
    """

    def __init__(self, total: int, per_ip: int, make_room: Callable[[], bool]):
        self._total, self._per_ip, self._make_room = total, per_ip, make_room
        self._open: Counter[str] = Counter()

    def enter(self, ip: str) -> bool:
        """Count one in; False when there are too many already."""
        client = client_of(ip)
        if self._open[client] >= self._per_ip:
            return False
        if self._open.total() >= self._total and not self._make_room():
            return False
        self._open[client] += 1
        return True

    def leave(self, ip: str) -> None:
        client = client_of(ip)
        self._open[client] -= 1
        if not self._open[client]:
            del self._open[client]


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
