"""What every next hop has in common: it takes a message for all its recipients, or says why not."""

from typing import Protocol

from submission.delivery.message import Message
from submission.listener import replies


class Deferred(Exception):
    """Nobody has the message; a later try may succeed. `str()` is for the log, `reply` for the client."""

    def __init__(self, reason: str, reply: str = replies.NEXT_HOP_UNAVAILABLE):
        super().__init__(reason)
        self.reply = reply


class Rejected(Exception):
    """Nobody has the message and nobody will; `str()` is for the log, `reply` for the client."""

    def __init__(self, reason: str, reply: str):
        super().__init__(reason)
        self.reply = reply


class NextHop(Protocol):
    async def deliver(self, message: Message) -> None:
        """Hand a message on to all its recipients or none. Raises Deferred, Rejected."""

    def close(self) -> None: ...
