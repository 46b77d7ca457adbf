"""SMTP passwords: always made here, never chosen by a person.

Format: `sl_`, 32 random characters of base 62 (190 bits), and their CRC-32 as 6
characters of base 62. A regular expression can find a leaked one by this form, and
the checksum distinguishes a typo from a wrong password.
"""

import re
import secrets
import string
from zlib import crc32

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX = "sl_"
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
LENGTH = len(PREFIX) + RANDOM_LENGTH + CHECKSUM_LENGTH
PATTERN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")


def generate() -> str:
    """Return a new password of 41 characters."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return PREFIX + body + _checksum(body)


def is_well_formed(password: str) -> bool:
    """Whether the text has the form and the checksum of a password made here."""
    if not PATTERN.fullmatch(password):
        return False
    body = password[len(PREFIX) : -CHECKSUM_LENGTH]
    return password.endswith(_checksum(body))


def is_cut_off(text: str) -> bool:
    """Whether the text is the beginning of a password made here, of any: a field was too short for it."""
    return (
        text.startswith(PREFIX)
        and len(PREFIX) < len(text) < LENGTH
        and set(text[len(PREFIX) :]) <= set(ALPHABET)
    )


def _checksum(body: str) -> str:
    number = crc32(body.encode("ascii"))
    digits = []
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
