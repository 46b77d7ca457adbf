"""Sign-in by OpenID Connect, with real HTTP on both sides: who is let in and who is not."""

import logging

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from audit.models import Event
from domains.models.invitation import make_token
from tests.accounts.codes import code_of, make_totp
from tests.accounts.openid_provider import CLIENT_SECRET
from tests.accounts.openid_visits import BEGIN, answer, begin, is_signed_in, refusal, sign_in
from tests.factories import PASSWORD, make_invitation, make_user
from tests.http import delivered, text

pytestmark = pytest.mark.django_db


def test_provider_button_signs_in_and_links_the_account(client, alice, provider):
    assert "Sign in with Example Login" in text(client.get("/login/"))
    assert sign_in(client)["Location"] == "/"
    assert client.get("/domains/").wsgi_request.user == alice
    assert list(SocialAccount.objects.values_list("user", "provider", "uid", "extra_data")) == [
        (alice.pk, provider.issuer, "person-1", {})
    ]
    (event,) = Event.objects.filter(tag="account.linked_to_openid")
    assert (event.actor, event.ip) == (alice, "127.0.0.1")
    assert [(letter.to, letter.subject) for letter in delivered()] == [
        (["alice@example.com"], "Your account can now be opened with Example Login")
    ]
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_provider_sign_in_still_requires_the_two_factor_code(client, alice, provider):
    secret = make_totp(alice)
    answer = sign_in(client)
    assert answer["Location"] == "/account/two-factor/authenticate/" and not is_signed_in(client)
    client.post(answer["Location"], {"code": code_of(secret)})
    assert is_signed_in(client)


def test_second_provider_sign_in_finds_the_user_by_sub_and_keeps_the_email(client, alice, bob, provider):
    sign_in(client)
    provider.person |= {"email": "bob@example.com", "email_verified": False}
    other = Client()
    sign_in(other)
    assert other.get("/domains/").wsgi_request.user == alice
    alice.refresh_from_db()
    assert alice.email == "alice@example.com" and SocialAccount.objects.count() == 1
    assert Event.objects.filter(tag="account.linked_to_openid").count() == 1


def test_email_is_matched_in_any_case_and_read_from_userinfo(client, alice, provider):
    provider.claims = {"email": None, "email_verified": None}
    provider.userinfo = {"email": "ALICE@Example.com"}
    sign_in(client)
    assert client.get("/domains/").wsgi_request.user == alice


def test_email_of_the_id_token_counts_where_the_userinfo_has_none(client, alice, provider):
    provider.answers["/userinfo"] = b'{"sub": "person-1", "email_verified": false}'
    sign_in(client)
    assert client.get("/domains/").wsgi_request.user == alice


def test_provider_sign_in_continues_to_the_requested_page(client, alice, provider):
    assert 'name="next" value="/account/password/"' in text(client.get("/login/?next=/account/password/"))
    assert sign_in(client, next="/account/password/")["Location"] == "/account/password/"


@pytest.mark.parametrize(
    "target",
    ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "///evil", "\t//evil"],
)
def test_provider_sign_in_redirects_to_no_other_site(client, alice, provider, target):
    assert sign_in(client, next=target)["Location"] == "/"


def test_query_string_does_not_reach_the_provider(client, alice, provider):
    page = client.post(f"{BEGIN}?auth_params=redirect_uri%3Dhttps://evil.test&scope=admin&process=connect")
    assert "evil.test" not in text(page) and "admin" not in text(page)


def test_no_token_and_no_code_is_kept_or_logged(client, alice, provider, caplog):
    caplog.set_level(logging.DEBUG)
    back = answer(begin(client))
    client.get(back)
    provider.claims = {"nonce": "another"}
    Client().get(back)
    sign_in(Client())
    assert not SocialToken.objects.exists() and len(provider.tokens) == 4
    provider.tokens.append("a token in an answer that is refused")
    provider.answers["/token"] = b'{"id_token": "a token in an answer that is refused"}'
    sign_in(Client())
    kept = caplog.text + "".join(str(session.get_decoded()) for session in Session.objects.all())
    assert not [token for token in [*provider.tokens, CLIENT_SECRET] if token in kept]


def test_stranger_is_asked_to_get_an_invitation(client, provider):
    page = refusal(client, sign_in(client))
    assert "No one on this server signs in as alice@example.com. Ask a colleague" in page
    assert not User.objects.exists()


def test_oidc_signup_makes_an_account_for_a_stranger(client, provider, settings):
    settings.OIDC_SIGNUP = True
    provider.person |= {"email": "New@Example.com", "name": "Nora\x00\u202e New " + "n" * 200}
    sign_in(client)
    assert is_signed_in(client)
    user = User.objects.get()
    assert user.email == "new@example.com" and user.name.startswith("Nora New nnn") and len(user.name) == 100
    assert not user.has_usable_password() and not delivered()
    assert EmailAddress.objects.filter(user=user, email="new@example.com", verified=True).exists()
    assert Event.objects.filter(tag="account.added_by_openid", actor=user).count() == 1


def test_invited_user_joins_by_the_provider_with_oidc_signup(client, provider, settings, domain):
    invitation = make_invitation(domain, "new@example.com")
    link = f"/invitations/key/{make_token(invitation.key)}/"
    assert "Example Login" not in text(client.get(link))
    settings.OIDC_SIGNUP = True
    assert "Sign in with Example Login" in text(client.get(link))
    provider.person["email"] = "new@example.com"
    assert sign_in(client, next=link)["Location"] == link
    client.post(f"{link}accept/")
    assert domain.memberships.get(role="viewer", user__email="new@example.com")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("ශ්\u200dරී", "ශ්\u200dරී"),
        ("Zoe\u0308", "Zoë"),
        ("Zo\u200dë", "Zoë"),
        ("a\u200b" * 5000, "a" * 100),
    ],
)
def test_name_of_the_provider_is_kept_as_users_can_write_theirs(client, provider, settings, given, shown):
    settings.OIDC_SIGNUP = True
    provider.person |= {"email": "new@example.com", "name": given}
    sign_in(client)
    assert User.objects.get().name == shown


@pytest.mark.parametrize("verified", ["true", "True"])  # Amazon Cognito sends it as text
def test_email_verified_counts_as_text(client, alice, provider, verified):
    provider.person["email_verified"] = verified
    sign_in(client)
    assert client.get("/domains/").wsgi_request.user == alice


@pytest.mark.parametrize("named_in", ["claims", "userinfo"])
def test_email_verified_counts_in_the_other_answer(client, alice, provider, named_in):
    """The ID token or the userinfo confirms the address that both, or only the other one, have."""
    del provider.person["email_verified"]
    setattr(provider, named_in, {"email_verified": True})
    sign_in(client)
    assert client.get("/domains/").wsgi_request.user == alice


def test_email_verified_of_another_address_does_not_count(client, alice, provider):
    del provider.person["email_verified"]
    provider.claims = {"email": "mallory@example.com", "email_verified": True}
    assert "Your provider didn't confirm your e-mail" in refusal(client, sign_in(client))


@pytest.mark.parametrize("verified", [None, "absent"])
def test_operator_can_vouch_for_addresses_of_a_provider_that_does_not_say(
    client, alice, provider, settings, verified
):
    settings.OIDC_TRUST_EMAIL = True
    provider.person["email_verified"] = verified
    if verified == "absent":
        del provider.person["email_verified"]
    sign_in(client)
    assert client.get("/domains/").wsgi_request.user == alice


@pytest.mark.parametrize("verified", [False, "false", 0, "", [], {"true": True}])
def test_an_unconfirmed_address_is_refused_although_the_operator_vouches(
    client, alice, provider, settings, verified
):
    settings.OIDC_TRUST_EMAIL = True
    provider.person["email_verified"] = verified
    assert "Your provider didn't confirm your e-mail" in refusal(client, sign_in(client))


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1, ["true"]])
def test_email_that_the_provider_did_not_confirm_is_refused(client, alice, provider, settings, verified):
    settings.OIDC_SIGNUP = True
    provider.person["email_verified"] = verified
    assert "Your provider didn't confirm your e-mail" in refusal(client, sign_in(client))
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "email", ["\u212aate@example.com", "", "kate", 7, ["kate@example.com"], "k" * 300 + "@x.de"]
)
def test_invalid_or_lookalike_email_is_refused(client, provider, email):
    make_user("kate@example.com")
    provider.person["email"] = email
    assert "Your provider didn't confirm your e-mail" in refusal(client, sign_in(client))


def test_deactivated_user_is_refused_before_and_after_linking(client, alice, provider):
    User.objects.update(is_active=False)
    assert sign_in(client)["Location"] == "/account/inactive/"
    assert not SocialAccount.objects.exists()
    User.objects.update(is_active=True)
    sign_in(client)
    User.objects.update(is_active=False)
    other = Client()
    assert sign_in(other)["Location"] == "/account/inactive/"
    assert not is_signed_in(other) and not is_signed_in(client)


def test_link_stays_with_the_first_sub_until_unlink_openid(client, alice, provider):
    sign_in(client)
    provider.person["sub"] = "person-2"
    other = Client()
    response = sign_in(other)
    assert response.status_code == 403 and "is linked to someone else" in text(response)
    assert not is_signed_in(other)
    call_command("unlink_openid", "Alice@example.com")
    sign_in(other)
    assert is_signed_in(other)
    assert Event.objects.filter(tag="account.unlinked_from_openid", data__sub="person-1").count() == 1


def test_sub_of_another_provider_is_ignored(client, alice, bob, provider):
    SocialAccount.objects.create(user=bob, provider="https://former.example.com", uid="person-1")
    sign_in(client)
    assert client.get("/domains/").wsgi_request.user == alice


def test_user_who_signed_up_with_anothers_address_is_locked_out(client, provider, settings):
    settings.SIGNUP_OPEN = True
    taken = {"email": "alice@example.com", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post("/signup/", taken).status_code == 302
    sign_in(client)
    assert is_signed_in(client) and not User.objects.get().has_usable_password()
    assert EmailAddress.objects.get().verified


def test_reset_request_before_linking_keeps_the_password(client, alice, provider):
    Client().force_login(alice)
    Client().post("/account/password/reset/", {"email": alice.email})
    sign_in(client)
    alice.refresh_from_db()
    assert is_signed_in(client) and alice.check_password(PASSWORD)


def test_account_in_use_with_unconfirmed_email_is_not_linked(client, alice, provider):
    alice.emailaddress_set.update(verified=False)
    Client().force_login(alice)
    assert "Confirm your e-mail here first" in refusal(client, sign_in(client))


def test_pending_email_of_a_user_is_not_matched(client, bob, provider):
    EmailAddress.objects.create(user=bob, email="alice@example.com")
    assert "No one on this server signs in as" in refusal(client, sign_in(client))
