"""Limit on the passwords that one user may open: a stolen session can't collect all of them."""

import logging

from accounts.allauth_internals import consume

PASSWORD_RATES = {"open": "60/10m/user"}
TOO_MANY = (
    "You showed or copied 60 passwords within 10 minutes. Wait a few minutes, then try again. "
    "If it wasn't you, change your password: that signs out everyone else."
)

log = logging.getLogger(__name__)


def may_open_password(request) -> bool:
    """Count a password to show or copy, across all workers; return False if that is too many."""
    if consume(request, app="credentials", action="open", config=PASSWORD_RATES):
        return True
    log.warning("The person %s opened too many passwords", request.user.pk)
    return False
