"""Digests of passwords, to know one again that is no longer accepted.

As Dovecot's auth policy client makes its `pwhash` (auth_policy_hash_mech, _hash_nonce and
_hash_truncate, which takes less than all bits): the first 248 bits of the SHA-256 of nonce,
name, NUL, password. The nonce is a key derived from SECRET_KEY, so a
stolen database gives nothing to compare with; the passwords themselves carry 190 bits.

The name is the one that Dovecot calls a login by when it refuses it: the second of the two
lookups has ended it with ASKED_ALL then (deploy/dovecot). While a rotation overlaps, that
lookup finds a row and the name has a number in it, so that what Dovecot refuses during an
overlap is not known again; the embedded listener knows it.
"""

import hashlib
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

BITS = 248
ASKED_ALL = ".previous"


def nonce() -> str:
    """The key, for auth_policy_hash_nonce in deploy/dovecot: 64 hexadecimal characters."""
    return _nonce(settings.SECRET_KEY)


@sensitive_variables("password")
def digest(username: str, password: str) -> str:
    """Return the digest of a login, 62 hexadecimal characters."""
    text = f"{nonce()}{username}{ASKED_ALL}\0{password}"
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[: BITS // 4]


@lru_cache(maxsize=4)
def _nonce(key: str) -> str:
    return salted_hmac("credentials.digests", "retired passwords", secret=key, algorithm="sha256").hexdigest()
