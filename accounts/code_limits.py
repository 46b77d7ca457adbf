"""Rate limits for two-factor codes. Attempts count before the check, so that concurrent ones all count.

Per account and address: a guesser locks out only their own address. A code has only 6 digits, so an
account also has a limit over all addresses, which no single address can use up: 100 guesses a day
find one of the 3 valid codes in 9 years.
"""

from contextlib import contextmanager

from allauth.account.adapter import get_adapter
from allauth.core import context

from accounts.allauth_internals import consume, truncate_ip
from accounts.client_address import address_of

APP = "accounts"
PER_ADDRESS = {"code": "5/5m/key,20/d/key"}
PER_ACCOUNT = {"code": "100/d/key"}


@contextmanager
def code_try(user):
    """Count an attempt, unless the block ends without an exception. Raises ValidationError."""
    address = truncate_ip(address_of(context.request))
    usages = []
    for config, key in ((PER_ADDRESS, f"{user.pk} {address}"), (PER_ACCOUNT, str(user.pk))):
        usage = consume(context.request, app=APP, action="code", config=config, key=key)
        if not usage:
            raise get_adapter().validation_error("too_many_login_attempts")
        usages.append(usage)
    yield
    for usage in usages:
        usage.rollback()
