"""A browser's steps of a sign-in by OpenID Connect: here, at the provider, and back."""

import html
import re

import requests
from allauth.socialaccount.models import SocialAccount

from tests.http import text

BEGIN, CALLBACK = "/account/oidc/", "/account/oidc/callback/"


def begin(client, **form) -> str:
    """Press the button; return where the page that answers leads."""
    page = text(client.post(BEGIN, form))
    return html.unescape(re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page)[1])


def answer(there, choice="allow") -> str:
    """Press a button of the provider; return the way back."""
    response = requests.post(there, data={"answer": choice}, allow_redirects=False, timeout=5)
    return response.headers["Location"].removeprefix("http://testserver")


def sign_in(client, **form):
    return client.get(answer(begin(client, **form)))


def is_signed_in(client):
    return client.get("/domains/").status_code == 200


def refusal(client, response) -> str:
    """The page of a sign-in that did not work; nobody is signed in, nothing is linked."""
    assert 400 <= response.status_code < 503 and not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    return html.unescape(text(response))
