"""Dangerous acts ask to sign in again when the last sign-in is old, and then carry on.

A page is sent to allauth's confirmation, and the interrupted POST is kept in the session
and done afterwards. A script is told by 401 and the header CONFIRM: static/js/reauthenticate.js
shows the confirmation in the dialog and then repeats the request itself.
"""

import time
from functools import wraps

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts.allauth_internals import SUSPENDED_REQUEST_KEY, suspend_request
from web.request import wants_text

CONFIRM = "X-Confirm-Identity"


def signed_in_recently(request) -> bool:
    """Whether this session's last sign-in, or confirmation of it, is within the timeout.

    A sign-in that its second step is missing for has no user yet, so none counts half-way.
    """
    records = get_authentication_records(request, request.user)
    return any(0 <= time.time() - each["at"] < settings.REAUTHENTICATION_TIMEOUT for each in records)


@reauthentication_required(app="accounts")
def _require_recent_sign_in(request):
    """Raise ReauthenticationRequired where the session's last sign-in is too old."""


def recent_sign_in(view):
    """Decorate a view whose GET and POST ask for a recent sign-in.

    Stands nearest to the view, after the access gate: who may not do it anyway is told that,
    and is not asked for a password.
    """

    @wraps(view)
    def confirmed(request, *args, **kwargs):
        try:
            _require_recent_sign_in(request)
        except ReauthenticationRequired:
            if not (request.htmx or wants_text(request)):
                raise
            return HttpResponse(status=401, headers={CONFIRM: reverse("account_reauthenticate")})
        return view(request, *args, **kwargs)

    return confirmed


def recent_sign_in_to_post(view):
    """Decorate a view that asks for a recent sign-in only where it acts."""
    confirmed = recent_sign_in(view)

    @wraps(view)
    def answer(request, *args, **kwargs):
        chosen = view if request.method in ("GET", "HEAD") else confirmed
        return chosen(request, *args, **kwargs)

    return answer


def ask_to_confirm(request) -> HttpResponse | None:
    """Keep what was posted and go to the confirmation; None where allauth's own way does.

    allauth compares the path of what it kept with `next`, query and all: what was posted to an
    address with a query, as the admin's filtered lists have, would be lost.
    """
    # Else an older act that was given up would be done, unasked, after the confirmation for the
    # question at the same path.
    request.session.pop(SUSPENDED_REQUEST_KEY, None)
    methods = get_adapter().get_reauthentication_methods(request.user)
    if request.method != "POST" or not methods:
        return None
    suspend_request(request, methods[0]["url"])
    return HttpResponseRedirect(f"{methods[0]['url']}?{urlencode({REDIRECT_FIELD_NAME: request.path})}")
