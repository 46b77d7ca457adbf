"""Reauthentication: dangerous acts ask the user to confirm an old sign-in, and then carry on.

A page redirects to allauth's confirmation; the interrupted POST is kept in the session and done afterwards.
A script gets a 401 with the header CONFIRM: static/js/reauthenticate.js shows the confirmation in the
dialog and then repeats the request.
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
    """Whether this session's last sign-in or confirmation is within the timeout.

    A sign-in without its second step has no user yet, so it doesn't count.
    """
    records = get_authentication_records(request, request.user)
    return any(0 <= time.time() - record["at"] < settings.REAUTHENTICATION_TIMEOUT for record in records)


@reauthentication_required(app="accounts")
def _require_recent_sign_in(request):
    """Raise ReauthenticationRequired where the session's last sign-in is too old."""


def recent_sign_in(view):
    """Decorate a view whose GET and POST require a recent sign-in.

    Must be the innermost decorator, after the access gate: users without the right get its refusal and are
    not asked for a password.
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
    """Decorate a view whose POST alone requires a recent sign-in."""
    confirmed = recent_sign_in(view)

    @wraps(view)
    def dispatch(request, *args, **kwargs):
        handler = view if request.method in ("GET", "HEAD") else confirmed
        return handler(request, *args, **kwargs)

    return dispatch


def ask_to_confirm(request) -> HttpResponse | None:
    """Keep the POST and redirect to the confirmation; None where allauth's own way does.

    allauth compares the kept path with all of `next`, query included: a POST to a URL with a query, as the
    admin's filtered lists have, would be lost.
    """
    # Otherwise an older, abandoned act at the same path would be done after this confirmation.
    request.session.pop(SUSPENDED_REQUEST_KEY, None)
    methods = get_adapter().get_reauthentication_methods(request.user)
    if request.method != "POST" or not methods:
        return None
    suspend_request(request, methods[0]["url"])
    return HttpResponseRedirect(f"{methods[0]['url']}?{urlencode({REDIRECT_FIELD_NAME: request.path})}")
