"""The two pages of a sign-in by OpenID Connect: off to the provider, and back again."""

import logging
from functools import wraps

from allauth.account.utils import get_login_redirect_url, get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.ratelimit import consume_or_429
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.internal import statekit
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts import openid
from accounts.openid import Problem, ProviderFailed

logger = logging.getLogger(__name__)
DETAIL_LENGTH = 500


def _where_it_is_on(view):
    """There is no such page without a provider; with one, every failure is a clear page."""

    @wraps(view)
    def answer(request):
        if not openid.is_on():
            raise Http404
        try:
            return view(request, get_adapter(request).get_provider(request, openid.issuer()))
        except ImmediateHttpResponse as instead:
            return instead.response
        except Problem as problem:
            logger.warning("OpenID Connect: %s", str(problem)[:DETAIL_LENGTH])
            context = {"title": problem.title, "text": problem.text}
            return render(request, "socialaccount/authentication_error.html", context, status=problem.status)

    return answer


@login_not_required
@require_POST
@_where_it_is_on
def sign_in(request, provider):
    """Send the person to the provider.

    By a page that moves on by itself, not by a redirect: the CSP's form-action counts for
    every redirect that follows a form, also for those of the provider to wherever it asks.
    """
    if request.user.is_authenticated:
        return redirect(get_login_redirect_url(request))
    if too_often := consume_or_429(request, action="login"):
        return too_often
    there = provider.redirect(request, next_url=get_next_redirect_url(request))
    return render(request, "socialaccount/login.html", {"url": there.url, "provider": openid.name()})


@login_not_required
@require_GET
@_where_it_is_on
def callback(request, provider):
    """Take what the provider answers, once, and sign in whom it names."""
    state = statekit.unstash_state(request, provider_id=provider.sub_id, state_id=request.GET.get("state", ""))
    if state is None:
        text = (
            "This sign-in was started more than 10 minutes ago or in another browser, or it "
            "has already been used."
        )
        raise Problem("Start again", text, detail="unknown state", status=400)
    if request.GET.get("error") == "access_denied":
        text = f"You cancelled at {openid.name()}, or it doesn't allow you to sign in here."
        raise Problem("Sign-in was cancelled", text, detail="access_denied")
    if not request.GET.get("code"):
        raise ProviderFailed(f"it answered {request.GET.get('error', 'without a code')!r}")
    claims = provider.get_oauth2_adapter(request).claims(
        request, provider, code_verifier=state["pkce_code_verifier"], nonce=state["nonce"]
    )
    login = provider.sociallogin_from_response(request, claims)
    login.state = state
    return complete_social_login(request, login)
