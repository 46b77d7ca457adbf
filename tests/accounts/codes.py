"""Codes of an authenticator app and recovery codes."""

import base64
import hashlib
import hmac
import secrets
import time

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator

PERIOD = 30


def code_of(secret, steps=0):
    """The code that an app shows now, or `steps` later (RFC 6238)."""
    counter = (int(time.time()) // PERIOD + steps).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    start = digest[-1] & 15
    return f"{int.from_bytes(digest[start : start + 4], 'big') % 2**31 % 10**6:06}"


def make_totp(user, secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"):
    """Give a user an authenticator app; return its secret."""
    Authenticator.objects.create(user=user, type="totp", data={"secret": get_adapter().encrypt(secret)})
    return secret


def make_recovery_codes(user) -> list[str]:
    """Give a user recovery codes; return them."""
    data = {"seed": get_adapter().encrypt(secrets.token_hex(40)), "used_mask": 0}
    Authenticator.objects.create(user=user, type="recovery_codes", data=data)
    return recovery_codes(user)


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
    """All stored two-factor data of a user, as text."""
    return str(list(Authenticator.objects.filter(user=user).values_list("data", flat=True)))
