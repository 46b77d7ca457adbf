"""The vault: seals secrets that must be shown again. Only this module knows the encryption.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. A token reads
`v1.<key id>.<base64url of nonce and ciphertext>`. Its associated data names the row and field that it is bound
to (username and field), so a token that was moved to another row does not open.
"""

import base64
import binascii
import os
import re
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

SEAL_VERSION = "v1"
NONCE_BYTES = 12
KEY_BYTES = 32


class KeyringError(ValueError):
    """CREDENTIAL_KEYS is missing or malformed; str() says how, without any key."""


class CannotOpen(Exception):
    """A token does not open: its key is gone, or it was changed or moved."""


def seal(secret: str, *, associated_data: str) -> str:
    """Encrypt a secret with the first key. Raises KeyringError."""
    return seal_with(first_key(), secret, associated_data=associated_data)


def seal_with(key_id: str, secret: str, *, associated_data: str) -> str:
    """Encrypt a secret with a key of the ring. Raises KeyringError, KeyError."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = _keyring()[key_id].encrypt(nonce, secret.encode(), associated_data.encode())
    return f"{prefix(key_id)}{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def prefix(key_id: str) -> str:
    """The beginning of every token that this key sealed."""
    return f"{SEAL_VERSION}.{key_id}."


def first_key() -> str:
    """The id of the key that seals. Raises KeyringError."""
    return next(iter(_keyring()))


def open(token: str, *, associated_data: str) -> str:
    """Decrypt a token that was sealed with the same associated data. Raises KeyringError, CannotOpen."""
    try:
        version, key_id, text = token.split(".")
        raw = base64.urlsafe_b64decode(text)
    except (ValueError, binascii.Error):
        raise CannotOpen("not a sealed secret") from None
    cipher = _keyring().get(key_id)
    if version != SEAL_VERSION or cipher is None:
        raise CannotOpen(f"no key with id {key_id!r}")
    try:
        return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], associated_data.encode()).decode()
    except (InvalidTag, ValueError):
        raise CannotOpen(f"key {key_id!r} does not open it") from None


def derived_key(key_id: str, *, purpose: str) -> bytes:
    """Derive a key for another purpose from a key of the ring (RFC 5869). Raises KeyringError, KeyError."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(
        _raw_keys(settings.CREDENTIAL_KEYS)[key_id]
    )


def reseal(token: str, *, associated_data: str) -> str:
    """Encrypt what a token holds with the first key. Raises KeyringError, CannotOpen."""
    return seal(open(token, associated_data=associated_data), associated_data=associated_data)


def parse(text: str) -> dict[str, AESGCM]:
    """Return key id → cipher of a CREDENTIAL_KEYS text, `id:base64key,…`. Raises KeyringError."""
    return {key_id: AESGCM(key) for key_id, key in _raw_keys(text).items()}


def _raw_keys(text: str) -> dict[str, bytes]:
    ring: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        key_id, _, encoded = map(str.strip, entry.partition(":"))
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", key_id) or not encoded:
            raise KeyringError(f"entry {number} is not of the form id:base64key")
        if key_id in ring:
            raise KeyringError(f"the key id {key_id!r} is given twice")
        try:
            key = base64.b64decode(encoded, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise KeyringError(f"the key {key_id!r} is not valid base64") from None
        if len(key) != KEY_BYTES:
            raise KeyringError(f"the key {key_id!r} has {len(key)} bytes instead of {KEY_BYTES}")
        ring[key_id] = key
    if not ring:
        raise KeyringError("there is no key")
    return ring


def new_key() -> str:
    """Return a new key as base64url text, for CREDENTIAL_KEYS."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


_parse_once = lru_cache(maxsize=4)(parse)


def _keyring() -> dict[str, AESGCM]:
    return _parse_once(settings.CREDENTIAL_KEYS)
