"""A rule for the passwords that people choose, beside Django's own."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError

WORDS = ("sendlayer", "smtp", "mail", "password", "credential", "dashboard", "admin", "owner", "welcome")
SHORTEST_WORD = 4
LEFT = 6


class ServiceWordsValidator:
    """Refuse a password of which little is left without the words that anybody would try here first.

    Those are WORDS and the names in SMTP_HOST and DASHBOARD_URL.
    """

    def validate(self, password, user=None):
        if len(_without(_words(), password.lower())) < LEFT:
            raise ValidationError(
                "The password is made of words that are guessed first here, like the name of this service.",
                code="password_of_service_words",
            )

    def get_help_text(self):
        return "Your password can't be little more than the name of this service."


def _words() -> list[str]:
    """The words, the longest first."""
    names = re.split(r"[^a-z0-9]+", f"{settings.SMTP_HOST} {settings.DASHBOARD_URL}".lower())
    ours = {name for name in names if len(name) >= SHORTEST_WORD and not name.isdigit()} - {"http", "https"}
    return sorted({*WORDS, *ours}, key=len, reverse=True)


def _without(words, text) -> str:
    for word in words:
        text = text.replace(word, "")
    return text
