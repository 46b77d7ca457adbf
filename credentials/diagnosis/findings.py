"""What lines from logs of sites report, and what is recorded about a refused login."""

from enum import Enum, auto


class Finding(Enum):
    """What a line reports."""

    # the login
    LOGIN_REFUSED = auto()
    LOGIN_FAILED = auto()  # in a tool's own words, without the server's answer
    OTHER_SERVER = auto()
    NO_LONGER_VALID = auto()
    NOT_LOGGED_IN = auto()
    NOT_LOGGED_IN_OR_TLS = auto()
    NO_PASSWORD = auto()
    MECHANISM = auto()
    # TLS
    TLS_MISSING = auto()
    IMPLICIT_TLS = auto()
    NO_STARTTLS = auto()
    CERTIFICATE_SELF_SIGNED = auto()
    CERTIFICATE_NAME = auto()
    CERTIFICATE_EXPIRED = auto()
    CERTIFICATE = auto()
    TLS_TOO_OLD = auto()
    OLD_SERVER = auto()
    TLS_FAILED = auto()
    # the connection
    NAME_NOT_FOUND = auto()
    CONNECTION_REFUSED = auto()
    TIMED_OUT = auto()
    UNREACHABLE = auto()
    FORBIDDEN_BY_SYSTEM = auto()
    NOT_CONNECTED = auto()
    NOT_SMTP = auto()
    NOT_BY_SMTP = auto()
    DROPPED = auto()
    WRONG_PORT = auto()
    WRONG_HOST = auto()
    PLAIN_TO_TLS = auto()
    # the sender and the message
    NULL_SENDER = auto()
    WRONG_SENDER = auto()
    SENDER_SYNTAX = auto()
    WRONG_HEADER_FROM = auto()
    NO_SINGLE_FROM = auto()
    UNQUOTED_NAME = auto()
    HIDDEN_SENDER = auto()
    BARE_NEWLINE = auto()
    LONG_LINE = auto()
    BAD_MESSAGE = auto()
    UTF8 = auto()
    TOO_BIG = auto()
    # limits, and faults of the server
    TOO_MANY_LOGINS = auto()
    TOO_MANY_CONNECTIONS = auto()
    TOO_MANY_ERRORS = auto()
    TOO_MANY_RECIPIENTS = auto()
    TOO_MUCH = auto()
    TOO_SLOW = auto()
    LOGIN_UNAVAILABLE = auto()
    TEMPORARY = auto()
    OUT_OF_ORDER = auto()
    # later, at other servers
    UNAUTHENTICATED_MAIL = auto()
    SPAM = auto()
    GREYLISTED = auto()
    RECIPIENT_FULL = auto()
    RECIPIENT_UNKNOWN = auto()
    RECIPIENT_SYNTAX = auto()
    RECIPIENT_DOMAIN = auto()
    NEXT_SERVER = auto()
    UNEXPLAINED_REFUSAL = auto()
    # none
    SUCCESS = auto()
    UNKNOWN = auto()


class Known(Enum):
    """Why logins of a credential are refused, as far as the database has it."""

    SUSPENDED = auto()
    SUSPENDED_BY_SUPPORT = auto()
    EXPIRED = auto()
    ANOTHER_USERNAME = auto()
    NO_SUCH_USERNAME = auto()
    CUT_USERNAME = auto()
    OLD_PASSWORD = auto()
    OLD_PASSWORD_ONCE = auto()  # by whom and when is deleted already
    WRONG_PASSWORD = auto()
    PADDED_PASSWORD = auto()
    CUT_PASSWORD = auto()
    NETWORK = auto()
    OVER = auto()
    NEVER_REFUSED = auto()
    NEVER_SEEN = auto()
