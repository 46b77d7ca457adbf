"""The two pages of a sign-in by OpenID Connect: off to the provider, and back again."""

from allauth.account.utils import get_login_redirect_url
from allauth.decorators import rate_limit
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts import openid
from accounts.openid.provider import Adapter


@login_not_required
@require_POST
@rate_limit(action="login")
def sign_in(request):
    """Send the user to the provider.

    By a page that moves on automatically, not by a redirect: the CSP's form-action applies to
    every redirect that follows a form, also to the provider's own.
    """
    if request.user.is_authenticated:
        return redirect(get_login_redirect_url(request))
    response = _answer(OAuth2LoginView, request)
    if response.status_code != 302:
        return response
    return render(request, "socialaccount/login.html", {"url": response.url, "provider": openid.name()})


@login_not_required
@require_GET
def callback(request):
    """Take the provider's answer, once, and sign in the user it names."""
    return _answer(OAuth2CallbackView, request)


def _answer(view, request):
    if not settings.OIDC_ISSUER:
        raise Http404
    return view.adapter_view(Adapter(request, settings.OIDC_ISSUER))(request)
