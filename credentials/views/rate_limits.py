"""Limits on opened passwords: a stolen session can't collect all of them, and nobody can try many links."""

import logging

from accounts.allauth_internals import consume

PASSWORD_RATES = {"open": "60/10m/user"}
LINK_RATES = {"link": "30/10m/ip"}
TOO_MANY = (
    "You showed, copied or handed over 60 passwords within 10 minutes. Wait a few minutes, then try again. "
    "If it wasn't you, change your password: that signs out everyone else."
)

log = logging.getLogger(__name__)


def may_open_password(request) -> bool:
    """Count a password to show, copy or hand over, across all workers; return False if that is too many."""
    if consume(request, app="credentials", action="open", config=PASSWORD_RATES):
        return True
    log.warning("The person %s opened too many passwords", request.user.pk)
    return False


def count_link(request):
    """Count a try to open a hand-over link; return what takes the count back, or None if there are too many."""
    return consume(request, app="credentials", action="link", config=LINK_RATES)
