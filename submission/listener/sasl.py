"""Decoding of AUTH PLAIN (RFC 4616) and AUTH LOGIN. No sockets."""

import base64
import binascii
from enum import Enum, auto
from typing import NamedTuple

from credentials.models.base import canonical_username


class Problem(Enum):
    """Why an exchange gave no login."""

    ABORTED = auto()
    LINE_TOO_LONG = auto()
    NOT_BASE64 = auto()
    NOT_PLAIN = auto()
    NOT_A_LOGIN = auto()


class BadExchange(Exception):
    """The exchange gave no login. The client's bytes are not kept."""

    def __init__(self, problem: Problem):
        super().__init__(problem.name)
        self.problem = problem


class LoginAttempt(NamedTuple):
    username: str
    password: str

    def __repr__(self):
        return "LoginAttempt(…)"


def decode(line: bytes) -> bytes:
    """Return the bytes of one base64 response. Raises BadExchange (`*` aborts, RFC 4954 section 4)."""
    if line == b"*":
        raise BadExchange(Problem.ABORTED)
    if line == b"=":  # an empty initial response
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        raise BadExchange(Problem.NOT_BASE64) from None


def plain(response: bytes) -> LoginAttempt:
    """Return the login of a PLAIN response, `[authzid] NUL authcid NUL password`. Raises BadExchange.

    Acting for another user isn't allowed: the authorization identity must be empty or the same.
    """
    parts = response.split(b"\x00")
    if len(parts) != 3:
        raise BadExchange(Problem.NOT_PLAIN)
    identity, username, password = parts
    attempt = login(username, password)
    if identity and login(identity, b"").username != attempt.username:
        raise BadExchange(Problem.NOT_A_LOGIN)
    return attempt


def login(username: bytes, password: bytes) -> LoginAttempt:
    """Return the login of two UTF-8 texts, the username in its canonical form. Raises BadExchange."""
    try:
        return LoginAttempt(canonical_username(username.decode()), password.decode())
    except UnicodeDecodeError:
        # `from None`, because the exception contains the password's bytes.
        raise BadExchange(Problem.NOT_A_LOGIN) from None
