"""The log of sign-ins, and the new session key after a confirmation."""

import logging
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from tests.accounts.codes import code_of, make_totp, wrong
from tests.factories import PASSWORD
from tests.http import sign_in, text

pytestmark = pytest.mark.django_db
WRONG = "not-the-password"


@pytest.fixture
def told(caplog):
    """The log lines about sign-ins so far."""
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records if record.name.startswith("accounts.")]


def post(client, password, email="alice@example.com"):
    return client.post("/login/", {"login": email, "password": password})


def test_sign_in_is_logged_with_address_and_method(client, alice, told):
    secret = make_totp(alice)
    post(client, PASSWORD)
    client.post("/account/two-factor/authenticate/", {"code": wrong(secret)})
    client.post("/account/two-factor/authenticate/", {"code": code_of(secret)})
    client.post("/logout/")
    who = f"person {alice.pk}"
    assert told() == [
        f"Refused a code of {who} from 127.0.0.1",
        f"Signed in: {who} from 127.0.0.1 by password+totp",
        f"Signed out: {who} from 127.0.0.1",
    ]


def test_refused_sign_in_is_logged_without_typed_text(client, alice, told):
    for email in ("alice@example.com", "my-secret@pass.word"):
        post(client, WRONG, email)
    lines = [f"Refused a password of {who} from 127.0.0.1" for who in (f"person {alice.pk}", "nobody known")]
    assert told() == lines


def test_throttled_sign_in_is_logged(client, alice, told):
    for _ in range(6):
        post(client, WRONG)
    assert told()[-1] == "Too many passwords were tried from 127.0.0.1"


def test_confirmation_by_password_changes_the_session_key(client, alice):
    post(client, PASSWORD)
    thief = Client()
    thief.cookies = client.cookies.copy()
    before = client.session.session_key
    assert (
        client.post("/account/reauthenticate/?next=/account/", {"password": PASSWORD})["Location"]
        == "/account/"
    )
    assert client.session.session_key != before
    assert [row.session_key for row in UserSession.objects.all()] == [client.session.session_key]
    assert client.get("/domains/").status_code == 200 and thief.get("/domains/").status_code == 302


def test_confirmation_by_code_changes_the_session_key(client, alice):
    secret = make_totp(alice)
    sign_in(client, alice, ago=timedelta(hours=1))
    before = client.session.session_key
    confirm = "/account/two-factor/reauthenticate/?next=/account/"
    assert "Incorrect code." in text(client.post(confirm, {"code": wrong(secret)}))
    assert client.session.session_key == before
    client.post(confirm, {"code": code_of(secret)})
    assert client.session.session_key != before and client.get("/domains/").status_code == 200
