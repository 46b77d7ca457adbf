"""Attacks and failures of an OpenID provider, or of someone in its place."""

import re
import time

import pytest
from django.test import Client

from tests.accounts.openid_provider import PERSON
from tests.accounts.openid_visits import BEGIN, CALLBACK, answer, begin, is_signed_in, refusal, sign_in
from tests.http import text
from tests.servers import free_port

pytestmark = pytest.mark.django_db


@pytest.mark.one_database
@pytest.mark.parametrize(
    "spoilt",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"aud": "another"}},
        {"claims": {"iss": "https://evil.test"}},
        {"claims": {"exp": int(time.time()) - 120}},
        {"claims": {"sub": None}},
        {"claims": {"sub": "person-2"}},
        {"person": PERSON | {"sub": None}},
        {"person": PERSON | {"sub": ""}},
        {"person": PERSON | {"sub": "a\x00b"}},
        {"person": PERSON | {"sub": 7}},
        {"sign": lambda claims: "rubbish"},
        {"sign": lambda claims: None},
        {"sign": lambda claims: 7},
        {"userinfo": {"sub": "person-2"}},
        {"config": {"issuer": "https://evil.test"}},
        {"config": {"issuer": None}},
        {"config": {"token_endpoint": "http://login.example.com/token"}},
        {"config": {"authorization_endpoint": "javascript:alert(1)"}},
        {"config": {"userinfo_endpoint": "http://login.example.com/userinfo"}},
        {"config": {"jwks_uri": None}},
        {"answers": {"/.well-known/openid-configuration": b"<html>"}},
        {"answers": {"/.well-known/openid-configuration": b"[]"}},
        {"answers": {"/userinfo": b"<html>"}},
        {"answers": {"/userinfo": b"[]"}},
        {"answers": {"/token": b"{}"}},
        {"answers": {"/token": b'{"access_token": "x", "expires_in": "soon"}'}},
        {"answers": {"/token": b'["access_token"]'}},
        {"answers": {"/token": b"7"}},
        {"moved": "/token"},
    ],
    ids="-".join,
)
def test_wrong_answer_of_the_provider_is_a_clear_page_and_no_sign_in(client, alice, provider, caplog, spoilt):
    there = begin(client)
    for name, value in spoilt.items():
        setattr(provider, name, value)
    response = client.get(answer(there))
    assert response.status_code == 502
    assert "There is a problem with Example Login" in refusal(client, response)
    assert "OpenID Connect: " in caplog.text and "Traceback" not in caplog.text


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_wrong_client_secret_is_logged(client, alice, provider, configure_openid, caplog, secret):
    configure_openid(provider.issuer, secret)
    assert "There is a problem with Example Login" in refusal(client, sign_in(client))
    assert "are OIDC_CLIENT_ID and OIDC_CLIENT_SECRET right?" in caplog.text


def test_provider_that_is_down_is_a_clear_page_at_start_and_callback(client, alice, provider, configure_openid):
    there = begin(client)
    back = answer(there)
    configure_openid(f"http://127.0.0.1:{free_port()}")
    response = client.post(BEGIN)
    assert response.status_code == 502 and "There is a problem" in refusal(client, response)
    response = client.get(back)
    assert response.status_code == 400 and "Start again" in refusal(client, response)


def test_callback_works_once_and_only_in_its_own_browser(client, alice, provider):
    back = answer(begin(client))
    assert "Start again" in refusal(client, Client().get(back))
    assert "Start again" in refusal(client, client.get(back.replace("state=", "state=x")))
    client.get(back)
    assert is_signed_in(client)
    client.logout()
    assert "Start again" in text(client.get(back)) and not is_signed_in(client)


def test_code_of_another_sign_in_is_refused(client, alice, provider):
    """An attacker puts their own code into a victim's sign-in: PKCE and nonce don't match."""
    theirs = re.search(r"code=([^&]+)", answer(begin(Client())))[1]
    back = re.sub(r"code=[^&]+", f"code={theirs}", answer(begin(client)))
    assert "There is a problem" in refusal(client, client.get(back))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("error=access_denied", "Sign-in was cancelled"),
        ("error=server_error", "There is a problem"),
        ("code=", "There is a problem"),
        ("code=made-up", "There is a problem"),
        ("code=%00&error=%00", "There is a problem"),
    ],
)
def test_error_of_the_provider_is_a_clear_page(client, alice, provider, query, said):
    state = re.search(r"state=([^&]+)", begin(client))[1]
    assert said in refusal(client, client.get(f"{CALLBACK}?{query}&state={state}"))


@pytest.mark.parametrize("state", ["", "x", "%00", "a" * 5000])
def test_made_up_state_is_refused(client, provider, state):
    assert "Start again" in refusal(client, client.get(f"{CALLBACK}?code=x&state={state}"))


def test_denial_at_the_provider_leads_back_to_the_sign_in(client, alice, provider):
    page = refusal(client, client.get(answer(begin(client), "deny")))
    assert "You cancelled at Example Login" in page and 'href="/login/"' in page


def test_provider_sign_in_starts_by_a_form_of_this_site_only(alice, provider):
    client = Client(enforce_csrf_checks=True)
    assert client.post(BEGIN).status_code == 403
    assert client.get(BEGIN).status_code == 405
    assert client.post(CALLBACK).status_code in (403, 405)
    assert not provider.seen


def test_provider_sign_in_is_rate_limited(client, provider):
    assert [client.post(BEGIN).status_code for _ in range(31)][-2:] == [200, 429]


def test_signed_in_user_is_not_sent_to_the_provider(as_alice, provider):
    assert as_alice.post(BEGIN)["Location"] == "/"


def test_without_a_provider_there_is_no_button_and_no_route(client):
    assert "Sign in with" not in text(client.get("/login/"))
    assert client.get(CALLBACK).status_code == client.post(BEGIN).status_code == 404


def test_admin_has_no_socialaccount_models(admin_client):
    for model in ("socialapp", "socialaccount", "socialtoken"):
        assert admin_client.get(f"/admin/socialaccount/{model}/").status_code == 404
