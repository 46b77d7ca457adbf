"""Password rules in addition to Django's own."""

import re
import secrets

from django.conf import settings
from django.core.exceptions import ValidationError

OWN_WORDS = ("sendlayer", "smtp", "mail", "password", "credential", "dashboard", "admin", "owner", "welcome")
SHORTEST_WORD = 4
MIN_REMAINDER = 6  # characters besides the service words
MAX_PASSWORD = 1000  # characters: more than any pass phrase needs, and little to hash


class MaximumLengthValidator:
    """Refuse a password that is too long before it is hashed."""

    def validate(self, password, user=None):
        if len(password) > MAX_PASSWORD:
            raise ValidationError(
                f"This password is too long. Use at most {MAX_PASSWORD} characters.", code="password_too_long"
            )

    def get_help_text(self):
        return f"Your password can have at most {MAX_PASSWORD} characters."


def bounded(password: str | None) -> str | None:
    """Return a typed password for the check; one that is too long is replaced by a random one.

    A wrong sign-in so costs the same with any password and gets the same answer.
    """
    too_long = password is not None and len(password) > MAX_PASSWORD
    return secrets.token_urlsafe() if too_long else password


class ServiceWordsValidator:
    """Refuse a password that consists of little more than words that are easy to guess here.

    Those are OWN_WORDS and the names in SMTP_HOST and DASHBOARD_URL.
    """

    def validate(self, password, user=None):
        if len(_without(_words(), password.lower())) < MIN_REMAINDER:
            raise ValidationError(
                "This password is made of words that are easy to guess here, like the name of this service.",
                code="password_of_service_words",
            )

    def get_help_text(self):
        return "Your password can't be just a variation of the name of this service."


def _words() -> list[str]:
    """Return the words, longest first."""
    names = re.split(r"[^a-z0-9]+", f"{settings.SMTP_HOST} {settings.DASHBOARD_URL}".lower())
    ours = {name for name in names if len(name) >= SHORTEST_WORD and not name.isdigit()} - {"http", "https"}
    return sorted({*OWN_WORDS, *ours}, key=len, reverse=True)


def _without(words, text) -> str:
    for word in words:
        text = text.replace(word, "")
    return text
