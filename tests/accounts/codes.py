"""What an authenticator app does."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value

PERIOD = 30


def code_of(secret, steps=0):
    """The code that an app shows now, or `steps` later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD + steps))


def make_totp(user, secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"):
    """Give a person an authenticator app; returns its secret."""
    TOTP.activate(user, secret)
    return secret


def wrong(secret):
    """Six digits that no step accepts."""
    right = {code_of(secret, steps) for steps in range(-2, 4)}
    return next(
        code
        for code in ("000000", "111111", "222222", "333333", "444444", "555555", "666666")
        if code not in right
    )


def recovery_codes(user):
    return Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()


def stored(user):
    """All that the database holds of somebody's two-factor."""
    return str(list(Authenticator.objects.filter(user=user).values_list("data", flat=True)))
