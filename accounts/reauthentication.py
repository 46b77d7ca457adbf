"""Dangerous acts ask to sign in again when the last sign-in is old, and then carry on.

A page is sent to the confirmation by allauth, which keeps the interrupted POST in the session
and does it afterwards. A script is told by 401 and the header CONFIRM: static/js/reauthenticate.js
shows the confirmation in the dialog and then repeats the request itself.
"""

import time
from functools import wraps

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse

from sendlayer.accept import wants_text

CONFIRM = "X-Confirm-Identity"


def signed_in_recently(request) -> bool:
    """Whether this session's last sign-in, or confirmation of it, is within the timeout.

    A sign-in that its second step is missing for has no user yet, so none counts half-way.
    """
    records = get_authentication_records(request, request.user)
    return any(0 <= time.time() - each["at"] < settings.REAUTHENTICATION_TIMEOUT for each in records)


def recent_sign_in(view):
    """Decorate a view whose GET and POST ask for a recent sign-in.

    Stands nearest to the view, after the access gate: who may not do it anyway is told that,
    and is not asked for a password.
    """

    @wraps(view)
    def confirmed(request, *args, **kwargs):
        try:
            raise_if_reauthentication_required(request, app="accounts")
        except ReauthenticationRequired:
            if not (request.htmx or wants_text(request)):
                raise
            return HttpResponse(status=401, headers={CONFIRM: reverse("account_reauthenticate")})
        return view(request, *args, **kwargs)

    return confirmed
