"""The interface of a next hop: it accepts a message for all its recipients or says why not."""

from enum import Enum, auto
from typing import Protocol

from submission.delivery.message import Message


class Reason(Enum):
    """Why a next hop didn't accept a message."""

    UNAVAILABLE = auto()
    NO_SPACE = auto()
    REFUSED = auto()
    NEEDS_SMTPUTF8 = auto()
    NEEDS_8BITMIME = auto()


class NotDelivered(Exception):
    """The message wasn't delivered to anyone. `detail` is for the log, `code` the next hop's reply code."""

    def __init__(self, detail: str, reason: Reason = Reason.UNAVAILABLE, code: int | None = None):
        super().__init__(detail)
        self.reason, self.code = reason, code


class Deferred(NotDelivered):
    """A later attempt may succeed."""


class Rejected(NotDelivered):
    """Another attempt would fail as well."""


class NextHop(Protocol):
    async def deliver(self, message: Message) -> None:
        """Deliver a message to all its recipients or none. Raises Deferred, Rejected."""

    def close(self) -> None: ...
