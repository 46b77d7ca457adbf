"""What becomes of a login."""

from enum import Enum, auto


class Outcome(Enum):
    """What became of a login. Only the log and the dashboard tell refusals apart; a client never."""

    ACCEPTED = auto()
    UNKNOWN_USERNAME = auto()
    WRONG_PASSWORD = auto()
    SUSPENDED = auto()
    EXPIRED = auto()
    DOMAIN_NOT_AUTHORIZED = auto()
    NETWORK_NOT_ALLOWED = auto()
