"""The outcome of a login."""

from enum import Enum, auto


class Outcome(Enum):
    """Whether a login is accepted, and why not. A client never learns why: that is for log and dashboard."""

    ACCEPTED = auto()
    UNKNOWN_USERNAME = auto()
    WRONG_PASSWORD = auto()
    SUSPENDED = auto()
    EXPIRED = auto()
    DOMAIN_NOT_AUTHORIZED = auto()
    NETWORK_NOT_ALLOWED = auto()
