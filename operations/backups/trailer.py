"""The last bytes of the file, its ZIP comment: that it is whole, and that somebody with a key made it.

    hmac-sha256:<key id>:<64 hex digits>:sha256:<64 hex digits>

The SHA-256 covers every byte before its digits and shows damage to anybody. The HMAC covers every
byte before its own digits; its key is derived from the key of CREDENTIAL_KEYS that is named. The
first half is missing in a file of format 1, and in one that was made without usable keys.
"""

import hashlib
import os
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from django.db import DatabaseError, transaction

from operations.backups import Refused
from vault import cipher, keyring

PURPOSE = "sendlayer backup authentication v1"
DIGITS = 64
BLANK = b"0" * DIGITS
MAC, DIGEST = b"hmac-sha256:%s:%s:", b"sha256:%s"
# What follows the HMAC's digits: a colon, and the SHA-256.
BEHIND_MAC = len(b":" + DIGEST % BLANK)
LONGEST = 256
FORM = re.compile(
    rb"(?:hmac-sha256:(?P<key>[A-Za-z0-9_-]{1,32}):(?P<mac>[0-9a-f]{64}):)?"
    rb"sha256:(?P<digest>.{64})\Z",
    re.DOTALL,
)
CHUNK = 1 << 20


def signing_key() -> tuple[str, str]:
    """The id of the key that authenticates a new backup, or "" and why there is none."""
    try:
        key_id = cipher.first_key()
        with transaction.atomic():
            why = keyring.contradiction(key_id)
    except cipher.KeyringError as error:
        return "", f"CREDENTIAL_KEYS can't be used: {error}"
    except DatabaseError:
        why = ""  # a version without canaries; or it is away, and there will be no backup
    return ("", why) if why else (key_id, "")


def blank(key_id: str) -> bytes:
    """The comment with its digits still to be filled in."""
    return (MAC % (key_id.encode(), BLANK) if key_id else b"") + DIGEST % BLANK


def fill(file, key_id: str) -> None:
    """Fill in the digits of a file that ends in `blank(key_id)`."""
    end = file.seek(0, os.SEEK_END)
    if key_id:
        _put(file, end - BEHIND_MAC - DIGITS, _mac(file, key_id, end).finalize())
    digest = hashlib.sha256()
    _feed(file, end - DIGITS, digest)
    _put(file, end - DIGITS, digest.digest())


def examine(file, name) -> str:
    """Why it can't be known who made this file, "" when its HMAC fits. Raises Refused when it is not whole."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - LONGEST))
    found = FORM.search(file.read())
    if not found:
        raise Refused(f"{name} is no backup, or only a part of one.")
    digest = hashlib.sha256()
    _feed(file, end - DIGITS, digest)
    if digest.hexdigest().encode() != found["digest"]:
        raise Refused(f"{name} is damaged: it does not fit its SHA-256.")
    if not found["key"]:
        return "It is not authenticated: an older version made it, or a server without its keys."
    return _doubt(file, end, found["key"].decode(), bytes.fromhex(found["mac"].decode()))


def _doubt(file, end, key_id, mac) -> str:
    try:
        _mac(file, key_id, end).verify(mac)
    except (KeyError, cipher.KeyringError):
        return (
            f"It is authenticated with the key {key_id!r}, which CREDENTIAL_KEYS lacks: put that key back, "
            "behind the first one."
        )
    except InvalidSignature:
        return (
            f"It does not fit the key {key_id!r} of CREDENTIAL_KEYS: it was changed after it was made, or made "
            "with another key of that name."
        )
    return ""


def _mac(file, key_id, end) -> HMAC:
    mac = HMAC(cipher.derived_key(key_id, purpose=PURPOSE), SHA256())
    _feed(file, end - BEHIND_MAC - DIGITS, mac)
    return mac


def _feed(file, length, digest) -> None:
    """Let a digest cover the first bytes of a file."""
    file.seek(0)
    while length > 0 and (chunk := file.read(min(CHUNK, length))):
        digest.update(chunk)
        length -= len(chunk)


def _put(file, offset, digest: bytes) -> None:
    file.seek(offset)
    file.write(digest.hex().encode())
