"""A server whose CREDENTIAL_KEYS are missing or wrong is up and does nothing: 503 on every page.

SMTP logins continue: they need no key. Running would be worse: passwords could not be shown, and
new ones would be sealed with a key that nobody keeps.
"""

from django.http import HttpResponse
from django.shortcuts import render

from web.request import wants_text

SEALED_TEXT = "The server is sealed: its keys are missing or wrong. Its operator has to restore them."

# "" while nothing is known to be wrong; None while the database could not be queried.
_problem: str | None = ""


def check() -> str | None:
    """Check the keys (keyring.examine), and remember the result for this process."""
    from vault import keyring

    global _problem
    _problem = keyring.examine()
    return _problem


def problem() -> str:
    """Why this process is sealed, "" when it is not."""
    return (check() if _problem is None else _problem) or ""


def known_problem() -> str:
    """The same as far as it is known, without a database query."""
    return _problem or ""


class SealedMiddleware:
    """Comes after the static files, which the page needs, and before everything that queries the database."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not problem():
            return self.get_response(request)
        if wants_text(request):
            return HttpResponse(SEALED_TEXT, status=503, content_type="text/plain; charset=utf-8")
        return render(request, "sealed.html", status=503)
