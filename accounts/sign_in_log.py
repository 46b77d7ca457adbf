"""Log of sign-ins and refused ones, without what was typed.

A user may type the password into the address field: addresses are logged only as the number of their account.
"""

import logging

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import authentication_step_completed
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from accounts.client_address import address_of
from accounts.models import User

log = logging.getLogger(__name__)


@receiver(user_logged_in)
def _signed_in(sender, request, user, **kwargs):
    methods = [record.get("type", record["method"]) for record in get_authentication_records(request, user)]
    log.info("Signed in: person %s from %s by %s", user.pk, address_of(request), "+".join(methods) or "nothing")


@receiver(user_logged_out)
def _signed_out(sender, request, user, **kwargs):
    if user:
        log.info("Signed out: person %s from %s", user.pk, address_of(request))


@receiver(user_login_failed)
def _refused(sender, credentials, request=None, **kwargs):
    email = str(credentials.get("email") or "").replace("\x00", "")
    known = User.objects.filter(email=User.objects.normalize_email(email)).values_list("pk", flat=True).first()
    where = address_of(request) if request else "this machine"
    log.warning("Refused a password of %s from %s", f"person {known}" if known else "nobody known", where)


@receiver(authentication_step_completed)
def _confirmed(sender, request, user, method, reauthenticated=False, **kwargs):
    """Give the session a new key, as a sign-in does: a holder of the old key is signed out."""
    if not reauthenticated:
        return
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
    log.info("Confirmed: person %s from %s by %s", user.pk, address_of(request), kwargs.get("type", method))
