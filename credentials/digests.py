"""Digests of retired passwords, to recognize one that somebody still tries.

As Dovecot's auth policy client makes its `pwhash` (auth_policy_hash_mech, _hash_nonce and
_hash_truncate, which takes less than all bits): the first 248 bits of the SHA-256 of nonce,
name, NUL, password. The nonce is a key derived from SECRET_KEY, so a
stolen database gives nothing to compare with; the passwords themselves carry 190 bits.

The name is the one that Dovecot has for a login when it refuses it: the second of the two
lookups has appended ASKED_ALL to it by then (deploy/dovecot). During a grace period, that
lookup finds a row and the name has a number in it, so a retired password that Dovecot refuses
during a grace period is not recognized; the embedded listener recognizes it.
"""

import hashlib
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

BITS = 248
ASKED_ALL = ".previous"


def nonce() -> str:
    """Return the key for auth_policy_hash_nonce in deploy/dovecot: 64 hexadecimal characters."""
    return _nonce(settings.SECRET_KEY)


@sensitive_variables("password")
def digest(username: str, password: str) -> str:
    """Return the digest of a login, 62 hexadecimal characters."""
    text = f"{nonce()}{username}{ASKED_ALL}\0{password}"
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[: BITS // 4]


@lru_cache(maxsize=4)
def _nonce(key: str) -> str:
    return salted_hmac("credentials.digests", "retired passwords", secret=key, algorithm="sha256").hexdigest()
