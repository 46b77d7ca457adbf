"""A and S: sign-in, links, codes, caches of signed-in pages."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import signing
from django.utils import timezone

from domains.models.invitation import Invitation, make_token
from tests.accounts.codes import code_of, make_totp
from tests.domains.inviting import invite
from tests.factories import PASSWORD, password_of
from tests.http import delivered, smtp_url, text
from tests.input.catalogue import row, rows
from tests.input.judging import Browser

pytestmark = pytest.mark.django_db

RESET = "/account/password/reset/"


@rows(
    "target",
    A1="https://evil.test",
    A2="//evil.test",
    A3="/\\evil.test",
    A4="javascript:alert(1)",
    A5="///evil.test",
    A6="https:evil.test",
    A7="\t//evil.test",
    A7b="http://[",
    A7c="\x00",
    A7d="/%00/\r\nSet-Cookie: a=b",
    A7e="x" * 100_000,
)
def test_sign_in_redirects_to_no_other_site(visitor, alice, target):
    visitor.get("/login/", {"next": target})
    fields = {"login": alice.email, "password": PASSWORD, "next": target}
    location = visitor.post("/login/", fields)["Location"]
    assert location.startswith("/") and not location.startswith(("//", "/\\"))
    assert "evil" not in location and "\n" not in location


@rows(
    "email",
    A10="a@b.example\nBcc: c@example.org",
    A11="a@[127.0.0.1]",
    A12="a" * 65 + "@example.org",
    A13="a@b",
    A13b="a\x00@example.org",
    A13c="é@" + "é" * 300 + ".org",
    A13d="<script>@example.org",
    A13e='"a b"@example.org\x00',
)
def test_undeliverable_address_is_refused(owner, email):
    response = invite(owner, email)
    assert response.status_code == 422 and not Invitation.objects.exists()
    assert owner.post("/account/email/", {"email": email}).status_code == 422
    assert owner.post(RESET, {"email": email}).status_code in (200, 302)
    assert not [letter for letter in delivered() if "alice@example.com" not in letter.to]


@rows(
    "password, said",
    A14=("short 7", "at least 10 characters"),
    A15=("password123", "too common"),
    A16=("alice@example.com", "too similar to the e-mail"),
    A16b=("1234567890123", "entirely numeric"),
    A16c=("\x00" * 12, "Null characters"),
    A16d=("x" * 100_000, ""),
)
def test_weak_password_is_refused_with_its_rule(owner, alice, password, said):
    fields = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    page = text(owner.post("/account/password/", fields)).replace("e-mail address", "e-mail").lower()
    assert said.lower() in page
    alice.refresh_from_db()
    assert said == "" or alice.check_password(PASSWORD)


@rows("name", A19="alice\x00@example.com", A19b="a" * 10_000, A19c="\ufffe\u202e", A19d="alice@example.com\n")
def test_malformed_login_fails_like_any_other(visitor, alice, name):
    response = visitor.post("/login/", {"login": name, "password": "x" * 10_000})
    assert response.status_code == 200 and "error" in text(response)
    assert visitor.get("/domains/").status_code == 302


def answers_of(token) -> set:
    """Return all answers of a mailed link, by GET and POST."""
    url, browser = f"/invitations/key/{token}/", Browser()
    answers = [browser.get(url), *(browser.post(f"{url}{act}/") for act in ("accept", "decline", "join"))]
    return {(answer.status_code, text(answer)) for answer in answers}


@row("A20")
def test_expired_used_and_made_up_links_get_the_same_answer(owner, domain):
    invite(owner, "new@example.org")
    good = make_token(Invitation.objects.get().key)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    [(status, _page)] = expired = answers_of(good)
    assert status == 410
    made_up = [make_token(uuid4()), signing.dumps("x", salt="domains.invitation"), signing.dumps(1), "x", ":::"]
    assert all(answers_of(token) == expired for token in (*made_up, good[:-1]))
    Invitation.objects.all().delete()
    assert answers_of(good) == expired


def test_other_made_up_links_are_refused():
    for key in ("1-x", "1-" + "a" * 5000, "zzzzzzzzzzzzzz-x", "0-set-password", "١-x", "1-%00"):
        assert Browser().get(f"{RESET}key/{key}/").status_code in (200, 404)
        assert Browser().post(f"{RESET}key/{key}/", {"password1": "x"}).status_code in (200, 302, 404)
    for key in ("x", "Mg:1:x", ":" * 500, "%00"):
        assert Browser().get(f"/account/confirm-email/{key}/").status_code in (200, 302, 404)


@row("A21")
def test_two_factor_code_works_once(alice):
    secret = make_totp(alice)
    code = code_of(secret)
    for browser, wanted in ((Browser(), 302), (Browser(), 200)):
        browser.post("/login/", {"login": alice.email, "password": PASSWORD})
        assert browser.post("/account/two-factor/authenticate/", {"code": code}).status_code == wanted


@rows("code", A21b="\x00", A21c="9" * 5000, A21d="١٢٣٤٥٦", A21e="é", A21f="-1", A21g="1e5")
def test_malformed_two_factor_code_is_refused(visitor, alice, code):
    make_totp(alice)
    visitor.post("/login/", {"login": alice.email, "password": PASSWORD})
    assert visitor.post("/account/two-factor/authenticate/", {"code": code}).status_code == 200
    assert visitor.get("/domains/").status_code == 302


@row("S1")
def test_pages_are_not_cached(owner, credential):
    for path in ("/", "/domains/", smtp_url(credential.domain), "/account/", "/account/sessions/", "/nothing/"):
        assert owner.get(path)["Cache-Control"] == "no-store, private"
    shown = owner.get("/account/two-factor/totp/activate/")
    assert "no-store" in shown["Cache-Control"]


@row("S2")
def test_signing_out_clears_the_browser_cache(owner, credential):
    answer = owner.post("/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert owner.get(smtp_url(credential.domain))["Location"].startswith("/login/")
    assert "Clear-Site-Data" not in owner.get("/login/").headers


@row("S3")
def test_pages_contain_no_password_that_was_not_requested(owner, credential):
    password = password_of(credential)
    for act in ("label", "reset", "delete", "reveal", "networks", "page"):
        assert password not in text(owner.get(smtp_url(credential, act)))
    page = text(owner.get(smtp_url(credential.domain)))
    assert password not in page and credential.verifier not in page
