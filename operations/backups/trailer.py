"""The last bytes of the file, its ZIP comment: a digest against damage and an HMAC against changes.

    hmac-sha256:<key id>:<64 hex digits>:sha256:<64 hex digits>

Each covers every byte before its own digits. The HMAC's key is derived from the key of CREDENTIAL_KEYS that is
named. The first half is missing in a file of format 1, and in one that was made without usable keys.
"""

import hashlib
import hmac
import os
import re

from django.db import DatabaseError, transaction

from operations.backups import BackupError
from vault import cipher, keyring

PURPOSE = "sendlayer backup authentication v1"
DIGITS = 64
BLANK = b"0" * DIGITS
DIGEST = b"sha256:" + BLANK
MAC = b"hmac-sha256:%s:" + BLANK + b":"
MAX_TRAILER = 256
FORM = re.compile(
    rb"(?:hmac-sha256:(?P<key_id>[A-Za-z0-9_-]{1,32}):(?P<mac>[0-9a-f]{64}):)?"
    rb"sha256:(?P<digest>.{64})\Z",
    re.DOTALL,
)
CHUNK_BYTES = 1 << 20


def signing_key() -> tuple[str, str]:
    """The id of the key that authenticates a new backup, or "" and why there is none."""
    try:
        key_id = cipher.first_key()
        with transaction.atomic():
            problem = keyring.contradiction(key_id)
    except cipher.KeyringError as error:
        return "", f"CREDENTIAL_KEYS can't be used: {error}"
    except DatabaseError:
        problem = ""  # a version without canaries; or the database is away, and there will be no backup
    return ("", problem) if problem else (key_id, "")


def blank(key_id: str) -> bytes:
    """The comment before its digits are known."""
    return (MAC % key_id.encode() if key_id else b"") + DIGEST


def fill(file, key_id: str) -> None:
    """Write the digits into a file that ends in `blank(key_id)`."""
    end = file.seek(0, os.SEEK_END)
    if key_id:
        _fill_digits(file, _end_of_mac(end), _key(key_id))
    _fill_digits(file, end)


def verify(file, name) -> str:
    """Why nobody can know who made this file, "" when its HMAC fits. Raises BackupError when it is damaged."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - MAX_TRAILER))
    found = FORM.search(file.read())
    if not found:
        raise BackupError(f"{name} is not a backup, or only a part of one.")
    if _digits(file, end) != found["digest"]:
        raise BackupError(f"{name} is damaged: it does not match its SHA-256.")
    if not found["key_id"]:
        return "It is not authenticated: an older version made it, or a server without its keys."
    key_id = found["key_id"].decode()
    try:
        key = _key(key_id)
    except (KeyError, cipher.KeyringError):
        return (
            f"It is authenticated with the key {key_id!r}, which CREDENTIAL_KEYS lacks: put that key back, "
            "after the first one."
        )
    if not hmac.compare_digest(_digits(file, _end_of_mac(end), key), found["mac"]):
        return (
            f"It does not match the key {key_id!r} of CREDENTIAL_KEYS: it was changed after it was made, or "
            "made with another key of that name."
        )
    return ""


def _key(key_id) -> bytes:
    return cipher.derived_key(key_id, purpose=PURPOSE)


def _end_of_mac(end) -> int:
    return end - len(b":" + DIGEST)


def _fill_digits(file, end, key=None):
    digits = _digits(file, end, key)
    file.seek(end - DIGITS)
    file.write(digits)


def _digits(file, end, key=None) -> bytes:
    """The digits that end there: of an HMAC with a key, otherwise of a SHA-256."""
    digest = hmac.new(key, digestmod="sha256") if key else hashlib.sha256()
    left = end - DIGITS
    file.seek(0)
    while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()
