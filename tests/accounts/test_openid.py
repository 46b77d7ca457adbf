"""Sign-in by OpenID Connect, through HTTP on both sides: whom it lets in, and whom never."""

import html
import logging
import re
import time

import jwt
import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from audit.models import Event
from tests.accounts import openid_provider
from tests.accounts.openid_provider import CLIENT_ID, CLIENT_SECRET, KID, key
from tests.factories import PASSWORD, make_user
from tests.http import delivered, text
from tests.servers import free_port

pytestmark = pytest.mark.django_db

BEGIN, CALLBACK = "/account/oidc/", "/account/oidc/callback/"


@pytest.fixture
def provider(settings):
    with openid_provider.serving() as provider:
        settings.OIDC_ISSUER = provider.issuer
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        settings.OIDC_NAME = "Example Login"
        yield provider


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


def test_the_button_leads_in_and_links_for_good(client, alice, provider):
    assert "Sign in with Example Login" in text(client.get("/login/"))
    assert sign_in(client)["Location"] == "/"
    assert client.get("/domains/").wsgi_request.user == alice
    assert list(SocialAccount.objects.values_list("user", "provider", "uid", "extra_data")) == [
        (alice.pk, provider.issuer, "person-1", {})
    ]
    (event,) = Event.objects.filter(tag="account.linked_to_openid")
    assert (event.actor, event.ip) == (alice, "127.0.0.1")
    assert [(letter.to, letter.subject) for letter in delivered()] == [
        (["alice@example.com"], "Your account can be opened with Example Login")
    ]
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_second_sign_in_goes_by_sub_and_takes_no_other_address(client, alice, bob, provider):
    sign_in(client)
    provider.person |= {"email": "bob@example.com", "email_verified": False}
    other = Client()
    sign_in(other)
    assert other.get("/domains/").wsgi_request.user == alice
    alice.refresh_from_db()
    assert alice.email == "alice@example.com" and SocialAccount.objects.count() == 1
    assert Event.objects.filter(tag="account.linked_to_openid").count() == 1


def test_the_address_is_found_in_any_case_and_at_the_userinfo_endpoint(client, alice, provider):
    provider.claims = {"email": None, "email_verified": None}
    provider.userinfo = {"email": "ALICE@Example.com"}
    sign_in(client)
    assert client.get("/domains/").wsgi_request.user == alice


def test_the_way_leads_to_where_the_person_was_going(client, alice, provider):
    assert 'name="next" value="/account/password/"' in text(client.get("/login/?next=/account/password/"))
    assert sign_in(client, next="/account/password/")["Location"] == "/account/password/"


@pytest.mark.parametrize(
    "target",
    ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "///evil", "\t//evil"],
)
def test_the_way_leads_nowhere_else(client, alice, provider, target):
    assert sign_in(client, next=target)["Location"] == "/"


def test_nothing_of_the_query_string_reaches_the_provider(client, alice, provider):
    page = client.post(f"{BEGIN}?auth_params=redirect_uri%3Dhttps://evil.test&scope=admin&process=connect")
    assert "evil.test" not in text(page) and "admin" not in text(page)


def test_no_token_and_no_code_is_kept_or_logged(client, alice, provider, caplog):
    caplog.set_level(logging.DEBUG)
    back = answer(begin(client))
    client.get(back)
    provider.sign = lambda claims: jwt.encode(claims, key("another"), "RS256", headers={"kid": KID})
    Client().get(back)
    sign_in(Client())
    assert not SocialToken.objects.exists() and len(provider.tokens) == 4
    kept = caplog.text + "".join(str(session.get_decoded()) for session in Session.objects.all())
    assert not [token for token in [*provider.tokens, CLIENT_SECRET] if token in kept]


# --- people -----------------------------------------------------------------------------


def test_a_stranger_is_told_to_ask_for_an_invitation(client, provider):
    page = refusal(client, sign_in(client))
    assert "Nobody on this server signs in as alice@example.com. Ask a colleague" in page
    assert not User.objects.exists()


def test_where_the_settings_say_so_a_stranger_gets_an_account(client, provider, settings):
    settings.OIDC_SIGNUP = True
    provider.person |= {"email": "New@Example.com", "name": "Nora\x00\u202e New " + "n" * 200}
    sign_in(client)
    assert is_signed_in(client)
    user = User.objects.get()
    assert user.email == "new@example.com" and user.name.startswith("Nora New nnn") and len(user.name) == 100
    assert not user.has_usable_password() and not delivered()
    assert EmailAddress.objects.filter(user=user, email="new@example.com", verified=True).exists()
    assert Event.objects.filter(tag="account.added_by_openid", actor=user).count() == 1


@pytest.mark.parametrize("verified", [False, None, "true", "false", 1])
def test_an_address_that_the_provider_did_not_confirm_opens_nothing(
    client, alice, provider, settings, verified
):
    settings.OIDC_SIGNUP = True
    provider.person["email_verified"] = verified
    assert "Your provider did not confirm your e-mail" in refusal(client, sign_in(client))
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "email", ["\u212aate@example.com", "", "kate", 7, ["kate@example.com"], "k" * 300 + "@x.de"]
)
def test_an_address_that_is_none_or_only_looks_like_another_opens_nothing(client, provider, email):
    make_user("kate@example.com")
    provider.person["email"] = email
    assert "Your provider did not confirm your e-mail" in refusal(client, sign_in(client))


def test_a_deactivated_person_is_refused_before_and_after_they_are_linked(client, alice, provider):
    User.objects.update(is_active=False)
    assert sign_in(client)["Location"] == "/account/inactive/"
    assert not SocialAccount.objects.exists()
    User.objects.update(is_active=True)
    sign_in(client)
    User.objects.update(is_active=False)
    other = Client()
    assert sign_in(other)["Location"] == "/account/inactive/"
    assert not is_signed_in(other) and not is_signed_in(client)


def test_an_address_that_went_to_somebody_else_at_the_provider_stays_with_the_first(client, alice, provider):
    sign_in(client)
    provider.person["sub"] = "person-2"
    other = Client()
    response = sign_in(other)
    assert response.status_code == 403 and "is linked to somebody else" in text(response)
    assert not is_signed_in(other)
    call_command("unlink_openid", "Alice@example.com")
    sign_in(other)
    assert is_signed_in(other)
    assert Event.objects.filter(tag="account.unlinked_from_openid", data__sub="person-1").count() == 1


def test_a_sub_of_another_provider_means_nothing(client, alice, bob, provider):
    SocialAccount.objects.create(user=bob, provider="https://former.example.com", uid="person-1")
    sign_in(client)
    assert client.get("/domains/").wsgi_request.user == alice


def test_whoever_took_an_address_before_its_owner_came_is_locked_out(client, provider, settings):
    settings.SIGNUP_OPEN, settings.ACCOUNT_EMAIL_VERIFICATION = True, "mandatory"
    taken = {"email": "alice@example.com", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post("/signup/", taken).status_code == 302
    sign_in(client)
    assert is_signed_in(client) and not User.objects.get().has_usable_password()
    assert EmailAddress.objects.get().verified


def test_asking_for_a_new_password_takes_nothing_from_anybody(client, alice, provider):
    Client().force_login(alice)
    Client().post("/account/password/reset/", {"email": alice.email})
    sign_in(client)
    alice.refresh_from_db()
    assert is_signed_in(client) and alice.check_password(PASSWORD)


def test_an_account_in_use_by_an_unconfirmed_person_is_not_shared(client, alice, provider):
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    Client().force_login(alice)
    assert "Confirm your e-mail here first" in refusal(client, sign_in(client))


def test_an_address_that_somebody_only_wants_is_not_theirs(client, bob, provider):
    EmailAddress.objects.create(user=bob, email="alice@example.com")
    assert "Nobody on this server signs in as" in refusal(client, sign_in(client))


# --- what a provider, or somebody in its place, must not get away with ----------------------


def signed(by="its own", algorithm="RS256", kid=KID):
    return lambda claims: jwt.encode(claims, key(by), algorithm, headers={"kid": kid})


def as_shared_secret(claims):
    return jwt.encode(claims, CLIENT_SECRET * 3, "HS256", headers={"kid": KID})


@pytest.mark.parametrize(
    "spoilt",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"aud": "another"}},
        {"claims": {"aud": ["another", CLIENT_ID]}},
        {"claims": {"azp": "another"}},
        {"claims": {"iss": "https://evil.test"}},
        {"claims": {"exp": int(time.time()) - 120}},
        {"claims": {"exp": None}},
        {"claims": {"sub": None}},
        {"claims": {"sub": ""}},
        {"claims": {"sub": "a\x00b"}},
        {"claims": {"sub": 7}},
        {"sign": signed(by="another")},
        {"sign": signed(kid="unknown")},
        {"sign": signed(kid="older")},
        {"sign": as_shared_secret},
        {"sign": lambda claims: jwt.encode(claims, None, "none")},
        {"sign": lambda claims: "rubbish"},
        {"sign": lambda claims: None},
        {"claims": {"email": None}, "userinfo": {"sub": "person-2"}},
        {"config": {"issuer": "https://evil.test"}},
        {"config": {"issuer": None}},
        {"config": {"token_endpoint": "http://login.example.com/token"}},
        {"config": {"authorization_endpoint": "javascript:alert(1)"}},
        {"config": {"jwks_uri": None}},
        {"answers": {"/.well-known/openid-configuration": b"<html>"}},
        {"answers": {"/.well-known/openid-configuration": b"[]"}},
        {"answers": {"/jwks": b'{"keys": [1, {}]}'}},
        {"answers": {"/jwks": b'{"keys": 1}'}},
        {"answers": {"/token": b"{}"}},
        {"answers": {"/token": b'{"access_token": "x", "expires_in": "soon"}'}},
        {"answers": {"/token": b'["access_token"]'}},
        {"answers": {"/token": b"7"}},
        {"moved": "/token"},
    ],
    ids=str,
)
def test_what_the_provider_says_wrong_is_a_clear_page_and_no_sign_in(client, alice, provider, caplog, spoilt):
    there = begin(client)
    for name, value in spoilt.items():
        setattr(provider, name, value)
    response = client.get(answer(there))
    assert response.status_code == 502
    assert "There is a problem with Example Login" in refusal(client, response)
    assert "OpenID Connect: " in caplog.text and "Traceback" not in caplog.text


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_a_wrong_client_secret_is_told_in_the_log(client, alice, provider, settings, caplog, secret):
    settings.OIDC_CLIENT_SECRET = secret
    assert "There is a problem with Example Login" in refusal(client, sign_in(client))
    assert "are OIDC_CLIENT_ID and OIDC_CLIENT_SECRET right?" in caplog.text


def test_a_provider_that_is_down_is_a_clear_page_at_both_ends(client, alice, provider, settings):
    there = begin(client)
    back = answer(there)
    settings.OIDC_ISSUER = f"http://127.0.0.1:{free_port()}"
    response = client.post(BEGIN)
    assert response.status_code == 502 and "There is a problem" in refusal(client, response)
    response = client.get(back)
    assert response.status_code == 400 and "Start again" in refusal(client, response)


def test_a_callback_counts_once_and_only_in_its_own_browser(client, alice, provider):
    back = answer(begin(client))
    assert "Start again" in refusal(client, Client().get(back))
    assert "Start again" in refusal(client, client.get(back.replace("state=", "state=x")))
    client.get(back)
    assert is_signed_in(client)
    client.logout()
    assert "Start again" in text(client.get(back)) and not is_signed_in(client)


def test_a_code_of_another_sign_in_is_refused(client, alice, provider):
    """Somebody slips their own code into a victim's sign-in: PKCE and nonce belong to another."""
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
def test_a_provider_that_says_no(client, alice, provider, query, said):
    state = re.search(r"state=([^&]+)", begin(client))[1]
    assert said in refusal(client, client.get(f"{CALLBACK}?{query}&state={state}"))


@pytest.mark.parametrize("state", ["", "x", "%00", "a" * 5000])
def test_a_made_up_state_opens_nothing(client, provider, state):
    assert "Start again" in refusal(client, client.get(f"{CALLBACK}?code=x&state={state}"))


def test_deny_at_the_provider_is_a_page_that_leads_back(client, alice, provider):
    page = refusal(client, client.get(answer(begin(client), "deny")))
    assert "You cancelled at Example Login" in page and 'href="/login/"' in page


def test_it_begins_by_a_form_of_this_site_alone(alice, provider):
    client = Client(enforce_csrf_checks=True)
    assert client.post(BEGIN).status_code == 403
    assert client.get(BEGIN).status_code == 405
    assert client.post(CALLBACK).status_code in (403, 405)
    assert not provider.seen


def test_it_cannot_be_begun_without_end(client, provider):
    assert [client.post(BEGIN).status_code for _ in range(31)][-2:] == [200, 429]


def test_somebody_who_is_signed_in_already_stays_who_they_are(as_alice, provider):
    assert as_alice.post(BEGIN)["Location"] == "/"


def test_without_a_provider_there_is_no_button_and_no_route(client):
    assert "Sign in with" not in text(client.get("/login/"))
    assert client.get(CALLBACK).status_code == client.post(BEGIN).status_code == 404


def test_the_admin_knows_nothing_of_it(admin_client):
    for model in ("socialapp", "socialaccount", "socialtoken"):
        assert admin_client.get(f"/admin/socialaccount/{model}/").status_code == 404
