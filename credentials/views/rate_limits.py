"""How many passwords one person may open: whoever steals a session can't empty the account with it."""

import logging

from accounts.allauth_internals import consume

RATES = {"open": "60/10m/user"}
TOO_MANY = (
    "You showed or copied 60 passwords within 10 minutes. Wait a few minutes, then try again. "
    "If it wasn't you, change your password: that signs out everyone else."
)

log = logging.getLogger(__name__)


def may_open_password(request) -> bool:
    """Count one password to show or copy, over all workers; False when that would be too many."""
    if consume(request, app="credentials", action="open", config=RATES):
        return True
    log.warning("The person %s opened too many passwords", request.user.pk)
    return False
