"""Assertions on every answer to bad input."""

import re

from django.contrib.contenttypes.models import ContentType
from django.test import Client

from credentials.passwords import PATTERN
from tests.input.figures import COUNTS
from tests.rows import kept

# A password, a sealed one, a verifier.
SECRETS = re.compile(PATTERN.pattern + r"|\{SSHA512\}|\bv1\.[A-Za-z0-9_-]{1,32}\.[A-Za-z0-9_=-]{16,}")


class Browser(Client):
    """A browser that judges every answer: no server error, no secret, no change by a refused request."""

    def __init__(self, *, is_shown_passwords=False, **options):
        super().__init__(raise_request_exception=False, **options)
        self.is_shown_passwords = is_shown_passwords

    def request(self, **environ):
        before = kept()
        response = super().request(**environ)
        body = b"" if self.is_shown_passwords or response.streaming else response.content
        judge(response.status_code, body, before, why=response.exc_info)
        return response


def judge(status, body: bytes, before: dict, why=None):
    """Judge an HTTP answer; `before` is `kept()` before the request."""
    COUNTS["requests"] += 1
    COUNTS["5xx"] += status >= 500
    assert status < 500, why
    assert not SECRETS.search(body.decode(errors="replace"))
    if status >= 400:
        assert kept() == before
    assert ContentType.objects.exists()  # the connection still works
