"""The interface of a next hop: it accepts a message for all its recipients or says why not."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Protocol

from submission.delivery.message import Message


class Reason(Enum):
    """Why a next hop didn't accept a message."""

    UNAVAILABLE = auto()
    NO_SPACE = auto()
    REFUSED = auto()
    RECIPIENT_REFUSED = auto()
    RECIPIENT_DEFERRED = auto()
    PARTLY = auto()
    NEEDS_SMTPUTF8 = auto()
    NEEDS_8BITMIME = auto()


class NotDelivered(Exception):
    """The message wasn't delivered to anyone, or with Reason.PARTLY not to everyone.

    `detail` is for the log, `code` the next hop's reply code, `recipients` are those that it didn't accept.
    """

    def __init__(
        self,
        detail: str,
        reason: Reason = Reason.UNAVAILABLE,
        code: int | None = None,
        recipients: Sequence[str] = (),
    ):
        super().__init__(detail)
        self.reason, self.code, self.recipients = reason, code, recipients


class Deferred(NotDelivered):
    """A later attempt may succeed."""


class Rejected(NotDelivered):
    """Another attempt would fail as well."""


class NextHop(Protocol):
    async def deliver(self, message: Message) -> None:
        """Deliver a message to all its recipients or none. Raises Deferred, Rejected."""

    def close(self) -> None: ...
