"""The steps of a browser in a sign-in by OpenID Connect."""

import html
import re

import requests
from allauth.socialaccount.models import SocialAccount

from tests.http import text

BEGIN, CALLBACK = "/account/oidc/", "/account/oidc/callback/"


def begin(client, **form) -> str:
    """Press the button; return the provider's URL."""
    page = text(client.post(BEGIN, form))
    return html.unescape(re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page)[1])


def answer(there, choice="allow") -> str:
    """Press a button of the provider; return the URL of the callback."""
    response = requests.post(there, data={"answer": choice}, allow_redirects=False, timeout=5)
    return response.headers["Location"].removeprefix("http://testserver")


def sign_in(client, **form):
    return client.get(answer(begin(client, **form)))


def is_signed_in(client):
    return client.get("/domains/").status_code == 200


def refusal(client, response) -> str:
    """Return the page of a refused sign-in; assert that no user is signed in or linked."""
    assert 400 <= response.status_code < 503 and not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    return html.unescape(text(response))
