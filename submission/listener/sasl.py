"""What clients send in AUTH PLAIN (RFC 4616) and AUTH LOGIN, decoded. No Django, no sockets."""

import base64
import binascii
from enum import Enum, auto
from typing import NamedTuple


class Fault(Enum):
    """Why an exchange holds no login."""

    ABORTED = auto()
    LINE_TOO_LONG = auto()
    NOT_BASE64 = auto()
    NOT_PLAIN = auto()
    NOT_A_LOGIN = auto()


class Broken(Exception):
    """The exchange came to no login; `fault` says why, the client's bytes are not kept."""

    def __init__(self, fault: Fault):
        super().__init__(fault.name)
        self.fault = fault


class Login(NamedTuple):
    username: str
    password: str

    def __repr__(self):
        return "Login(…)"


def decode(line: bytes) -> bytes:
    """Return the bytes of one base64 response. Raises Broken (`*` aborts, RFC 4954 section 4)."""
    if line == b"*":
        raise Broken(Fault.ABORTED)
    if line == b"=":  # an empty initial response
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        raise Broken(Fault.NOT_BASE64) from None


def plain(response: bytes) -> Login:
    """Return the login of a PLAIN response, `[authzid] NUL authcid NUL password`. Raises Broken.

    Nobody may act for somebody else: the authorization identity is empty or the same.
    """
    parts = response.split(b"\x00")
    if len(parts) != 3:
        raise Broken(Fault.NOT_PLAIN)
    identity, username, password = parts
    if identity not in (b"", username):
        raise Broken(Fault.NOT_A_LOGIN)
    return login(username, password)


def login(username: bytes, password: bytes) -> Login:
    """Return the login of two UTF-8 texts. Raises Broken."""
    try:
        return Login(username.decode(), password.decode())
    except UnicodeDecodeError:
        # `from None`: the exception would carry the password's bytes.
        raise Broken(Fault.NOT_A_LOGIN) from None
