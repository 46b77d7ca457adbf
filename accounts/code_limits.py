"""How often codes may be tried. Counted before they are checked, so that tries at once all count.

Per account and address: whoever guesses locks out themselves, not the person elsewhere. A code
has only six digits, so an account has a limit over all addresses as well, which no single one
can use up: a hundred guesses a day find one of the three valid codes in nine years.
"""

from contextlib import contextmanager

from allauth.account.adapter import get_adapter
from allauth.core import context

from accounts.allauth_internals import consume, truncate_ip
from accounts.client_address import address_of

APP = "accounts"
HERE = {"code": "5/5m/key,20/d/key"}
ANYWHERE = {"code": "100/d/key"}


@contextmanager
def code_try(user):
    """Count one try of a code, unless the block ends without an exception. Raises ValidationError."""
    address = truncate_ip(address_of(context.request))
    usages = []
    for config, key in ((HERE, f"{user.pk} {address}"), (ANYWHERE, str(user.pk))):
        usage = consume(context.request, app=APP, action="code", config=config, key=key)
        if not usage:
            raise get_adapter().validation_error("too_many_login_attempts")
        usages.append(usage)
    yield
    for usage in usages:
        usage.rollback()
