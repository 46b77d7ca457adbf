"""No account is revealed: known and unknown addresses cost the same work and get the same answer.

Counted, not timed: what hashes a password takes half a second, what writes or reads a row a millisecond.
"""

import re

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.emails import Letter
from accounts.models import User
from tests.factories import PASSWORD, make_claim, make_user
from tests.http import delivered, sign_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
KNOWN, UNKNOWN = "alice@example.com", "nobody@example.com"


@pytest.fixture
def cost(monkeypatch):
    """Post a form with fresh limits; return the hashings, written rows, queries, and the answer."""
    hashed = []
    encode = PBKDF2PasswordHasher.encode

    def counted(hasher, password, *args):
        hashed.append(len(password))
        return encode(hasher, password, *args)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counted)

    def post(path, form, client=None):
        from django.core.cache import cache

        client = client or Client()
        cache.clear()
        hashed.clear()
        with CaptureQueriesContext(connection) as queries:
            response = client.post(path, form)
        asked = [query["sql"] for query in queries if "sendlayer_cache" not in query["sql"]]
        written = sorted(re.findall(r'INSERT INTO "(\w+)"', " ".join(asked)))
        page = client.get(response["Location"]) if response.status_code == 302 else response
        page = re.sub(r'value="[^"]*"|[\w.-]+@[\w.-]+', "", text(page))
        selects = sum(sql.startswith("SELECT") for sql in asked)
        answer = response.status_code, response.headers.get("Location"), page
        return {"hashed": len(hashed), "written": written, "asked": selects, "answer": answer}

    return post


def test_sign_up_costs_and_answers_the_same_for_any_address(cost, alice, settings):
    settings.SIGNUP_OPEN = True
    make_claim("claimed@example.com")
    emails = (UNKNOWN, KNOWN, "claimed@example.com")
    form = {"password1": "a new long password", "password2": "a new long password"}
    costs = [cost("/signup/", form | {"email": email}) for email in emails]
    assert costs[0]["hashed"] == costs[1]["hashed"] == costs[2]["hashed"] == 1
    assert costs[0]["written"] == costs[1]["written"] == costs[2]["written"]
    assert costs[0]["written"][:3] == ["account_emailaddress", "accounts_letter", "accounts_user"]
    assert costs[0]["answer"] == costs[1]["answer"] == costs[2]["answer"]
    # The address of a new user is read again: 4 queries beside half a second of hashing.
    assert costs[0]["asked"] - costs[1]["asked"] <= 4 and costs[1] == costs[2]
    assert sorted(User.objects.values_list("email", flat=True)) == sorted(emails)
    subjects = {letter.to[0]: letter.subject for letter in delivered()}
    known = dict.fromkeys(emails[1:], "You already have an account")
    assert subjects == known | {UNKNOWN: "Confirm your e-mail"}


def test_concurrent_sign_up_with_the_same_address_gets_an_email(settings, monkeypatch, alice):
    settings.SIGNUP_OPEN = True
    monkeypatch.setattr("accounts.forms.SignupForm.validate_unique_email", lambda form, email: email)
    form = {"email": KNOWN, "password1": "a new long password", "password2": "a new long password"}
    assert Client().post("/signup/", form)["Location"] == "/account/confirm-email/"
    assert [letter.subject for letter in delivered()] == ["You already have an account"]


def test_pending_address_of_another_user_can_sign_up(settings, bob):
    settings.SIGNUP_OPEN = True
    bob.emailaddress_set.create(email=UNKNOWN)
    form = {"email": UNKNOWN, "password1": "a new long password", "password2": "a new long password"}
    Client().post("/signup/", form)
    assert [letter.subject for letter in delivered()] == ["Confirm your e-mail"]
    assert User.objects.filter(email=UNKNOWN).exists()


def test_sign_in_costs_and_answers_the_same_for_any_address(cost, alice):
    make_claim("claimed@example.com")
    make_user("gone@example.com", is_active=False)
    bob = make_user("bob@example.com")
    bob.set_unusable_password()
    bob.save()
    names = (UNKNOWN, KNOWN, "claimed@example.com", "gone@example.com", "bob@example.com")
    costs = [cost("/login/", {"login": email, "password": "wrong-wrong"}) for email in names]
    # An unconfirmed address costs one more query: a millisecond beside a second.
    asked = [cost.pop("asked") for cost in costs]
    assert all(cost == costs[0] for cost in costs) and costs[0]["hashed"] == 2
    assert max(asked) - min(asked) <= 1


def test_password_reset_costs_and_answers_the_same_for_any_address(cost, alice):
    make_user("gone@example.com", is_active=False)
    names = (UNKNOWN, KNOWN, "gone@example.com")
    costs = [cost("/account/password/reset/", {"email": email}) for email in names]
    assert all(cost == costs[0] for cost in costs)
    assert costs[0]["written"] == ["accounts_letter"]
    assert [letter.to for letter in delivered()] == [[KNOWN]]
    assert not Letter.objects.exists()


def test_email_change_costs_and_answers_the_same_for_any_address(cost, alice, bob):
    client = sign_in(Client(), bob)
    costs = [cost("/account/email/", {"email": email}, client) for email in ("new@example.com", UNKNOWN, KNOWN)]
    assert costs[1] == costs[2] and "accounts_letter" in costs[1]["written"]
    again = [cost("/account/email/again/", {}, client)]
    cost("/account/email/", {"email": "other@example.com"}, client)
    again.append(cost("/account/email/again/", {}, client))
    assert again[0] == again[1]
    assert {letter.to[0] for letter in delivered()} == {"new@example.com", UNKNOWN, "other@example.com"}


def test_right_password_is_hashed_once(cost, alice):
    assert cost("/login/", {"login": KNOWN, "password": PASSWORD})["hashed"] == 1
