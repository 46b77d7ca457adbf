"""The one rule for e-mail addresses that users type."""

import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from web import characters

MAX_EMAIL = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
MAX_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1

INVALID = "Enter an address like name@example.com."
INVISIBLE = "Remove the invisible or control characters from the address, then try again."
MAPPED = "Some characters after the @ are treated as others. Did you mean {host}?"


def clean(text: str) -> str:
    """Return an address as it is stored, in lower case without outer spaces.

    Raises ValidationError on what Django refuses, on addresses that no mail reaches, and on those that read
    as another address. `localhost` is accepted, for trials.
    """
    email = text.strip()
    if len(email) > MAX_EMAIL:  # checked first: the other rules would read all of it
        raise ValidationError(
            f"An address can have at most {MAX_EMAIL} characters (this one has {len(email)})."
        )
    # Django accepts control characters within quotes, and zero-width ones after the @.
    if characters.has_invisible(email):
        raise ValidationError(INVISIBLE, code="invisible")
    validate_email(email)
    local, _, host = email.rpartition("@")
    # Letters like the Kelvin sign become ASCII in lower case: another person's address.
    if not local.isascii() or len(local) > MAX_LOCAL_PART or host.startswith("["):
        raise ValidationError(INVALID)
    if not host.isascii():
        _refuse_mapped(host.lower())
    return email.lower()


def is_valid(text: str) -> bool:
    return _error(text) is None


def hint(text: str) -> str:
    """Return why `clean` refuses an address where the reason is not visible in it; "" otherwise."""
    error = _error(text)
    return error.message if error and error.code in ("invisible", "mapped") else ""


def _error(text) -> ValidationError | None:
    try:
        clean(text)
    except ValidationError as error:
        return error
    return None


def _refuse_mapped(host: str) -> None:
    """Raise ValidationError for a host that is no domain name, or only looks like the one that mail goes to."""
    try:
        meant = idna.decode(idna.encode(host, uts46=True, std3_rules=True))
    except (idna.IDNAError, UnicodeError):
        raise ValidationError(INVALID) from None
    if unicodedata.normalize("NFC", host) != meant:
        raise ValidationError(MAPPED.format(host=meant), code="mapped")
