"""Rules for the passwords that people choose and type, beside Django's own."""

import re
import secrets

from django.conf import settings
from django.core.exceptions import ValidationError

WORDS = ("sendlayer", "smtp", "mail", "password", "credential", "dashboard", "admin", "owner", "welcome")
SHORTEST_WORD = 4
LEFT = 6
MAX_LENGTH = 1000  # characters: more than any pass phrase needs, and little to hash


class MaximumLengthValidator:
    """Refuse a password that is too long before it is hashed."""

    def validate(self, password, user=None):
        if len(password) > MAX_LENGTH:
            raise ValidationError(
                f"This password is too long. Use at most {MAX_LENGTH} characters.", code="password_too_long"
            )

    def get_help_text(self):
        return f"Your password can have at most {MAX_LENGTH} characters."


def bounded(password: str | None) -> str | None:
    """A typed password as it may be checked: one that is too long gives way to one that is never right.

    So a wrong sign-in costs the same with any password, and is answered the same.
    """
    too_long = password is not None and len(password) > MAX_LENGTH
    return secrets.token_urlsafe() if too_long else password


class ServiceWordsValidator:
    """Refuse a password of which little is left without the words that anybody would try here first.

    Those are WORDS and the names in SMTP_HOST and DASHBOARD_URL.
    """

    def validate(self, password, user=None):
        if len(_without(_words(), password.lower())) < LEFT:
            raise ValidationError(
                "This password is made of words that are easy to guess here, like the name of this service.",
                code="password_of_service_words",
            )

    def get_help_text(self):
        return "Your password can't be just a variation of the name of this service."


def _words() -> list[str]:
    """The words, the longest first."""
    names = re.split(r"[^a-z0-9]+", f"{settings.SMTP_HOST} {settings.DASHBOARD_URL}".lower())
    ours = {name for name in names if len(name) >= SHORTEST_WORD and not name.isdigit()} - {"http", "https"}
    return sorted({*WORDS, *ours}, key=len, reverse=True)


def _without(words, text) -> str:
    for word in words:
        text = text.replace(word, "")
    return text
