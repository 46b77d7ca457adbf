"""The faults that end a check early."""

import socket
import ssl
from enum import Enum, auto

from aiosmtplib import SMTPException, SMTPResponseException


class Fault(Enum):
    NAME_NOT_FOUND = auto()
    NAME_UNANSWERED = auto()
    REFUSED = auto()
    UNREACHABLE = auto()
    TIMEOUT = auto()
    DROPPED = auto()
    NOT_SMTP = auto()
    NO_STARTTLS = auto()
    HANDSHAKE = auto()
    CERTIFICATE = auto()
    NO_LOGIN = auto()
    ADDRESS = auto()
    REPLY = auto()


class Failed(Exception):
    """The check can't go on."""

    def __init__(self, fault: Fault):
        super().__init__(fault)
        self.fault = fault


def classify(error: Exception) -> tuple[Fault, str]:
    """Return the fault and the system's description for an exception that ended a conversation."""
    match error:
        case Failed():
            return error.fault, ""
        case SMTPResponseException():
            return (Fault.REPLY, "") if 400 <= error.code < 600 else (Fault.NOT_SMTP, "an unexpected reply")
        case socket.gaierror() | UnicodeError():
            temporary = getattr(error, "errno", None) == socket.EAI_AGAIN
            return Fault.NAME_UNANSWERED if temporary else Fault.NAME_NOT_FOUND, ""
        case ssl.SSLCertVerificationError():
            return Fault.CERTIFICATE, error.verify_message
        case ssl.SSLError():
            return Fault.HANDSHAKE, error.reason or ""
        case TimeoutError():
            return Fault.TIMEOUT, ""
        case SMTPException():
            return Fault.DROPPED, ""
        case ConnectionRefusedError():
            return Fault.REFUSED, ""
    return Fault.UNREACHABLE, getattr(error, "strerror", None) or ""
