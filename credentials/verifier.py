"""The verifier: what a mail server checks an SMTP password against. passlib lives only here.

Scheme: RFC 2307 userPassword with salted SHA-512, `{SSHA512}<base64>`, which Dovecot
reads directly. It is fast on purpose: the passwords have 190 random bits
(credentials/passwords.py), so nobody can guess one however fast the hash is, while
a slow hash would cost time at every SMTP login
(0.005 ms a check here, 293 ms for passlib's default sha512_crypt).
"""

import secrets

from passlib.hash import ldap_salted_sha512

SALT_BYTES = 16
MAX_PASSWORD_LENGTH = 1024  # far above what is issued; more is not worth hashing

_scheme = ldap_salted_sha512.using(salt_size=SALT_BYTES)
_nobody = _scheme.hash(secrets.token_hex())


def make(password: str) -> str:
    """Return a new verifier, `{SSHA512}…`, of a password."""
    return _scheme.hash(password)


def check(password: str, verifier: str | None) -> tuple[bool, bool]:
    """Return (match, stale): does the password fit, and should its verifier be made again.

    Without a verifier (an unknown username) it costs the same and never matches.
    """
    if "\x00" in password or len(password) > MAX_PASSWORD_LENGTH:
        password, verifier = "", None
    match = _scheme.verify(password, verifier or _nobody) and verifier is not None
    return match, match and len(_scheme.from_string(verifier).salt) < SALT_BYTES
