"""No password of more than 1000 characters is hashed anywhere."""

import re

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from accounts.password_validators import MAX_PASSWORD
from tests.factories import PASSWORD, make_invitation
from tests.http import delivered, sign_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LONGEST, TOO_LONG = "x!" * (MAX_PASSWORD // 2), "x!" * 2500
SAID = f"Use at most {MAX_PASSWORD} characters."


@pytest.fixture
def hashed(monkeypatch):
    """The lengths of the hashed passwords."""
    lengths, encode = [], PBKDF2PasswordHasher.encode

    def noted(hasher, password, *args):
        lengths.append(len(password))
        return encode(hasher, password, *args)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", noted)
    return lengths


def twice(password):
    return {"password1": password, "password2": password}


def sign_up(client, password, **people):
    return client.post("/signup/", {"email": "new@example.com"} | twice(password))


def join(client, password, domain, **people):
    from domains.models.invitation import make_token

    invitation = domain.invitations.first() or make_invitation(domain)
    return client.post(f"/invitations/key/{make_token(invitation.key)}/join/", twice(password))


def change(client, password, alice, **people):
    return sign_in(client, alice).post("/account/password/", {"oldpassword": PASSWORD} | twice(password))


def set_first(client, password, alice, **people):
    alice.set_unusable_password()
    alice.save()
    return sign_in(client, alice).post("/account/password/set/", twice(password))


def reset(client, password, alice, **people):
    Client().post("/account/password/reset/", {"email": alice.email})
    link = re.search(r"http://127.0.0.1:8000(/account/password/reset/key/\S+)", delivered()[-1].body)[1]
    return client.post(client.get(link)["Location"], twice(password))


@pytest.mark.parametrize("door", [sign_up, join, change, set_first, reset])
def test_too_long_new_password_is_refused_before_hashing(client, hashed, alice, domain, settings, door):
    settings.SIGNUP_OPEN = True
    response = door(client, TOO_LONG, alice=alice, domain=domain)
    assert response.status_code in (200, 422) and SAID in text(response)
    assert "at least 10" not in re.sub(r"<ul.*?</ul>", "", text(response), flags=re.S)
    assert max(hashed, default=0) <= MAX_PASSWORD
    assert door(client, LONGEST, alice=alice, domain=domain).status_code == 302


@pytest.mark.parametrize("command", ["createsuperuser", "demo"])
def test_commands_refuse_a_too_long_password_with_a_reason(hashed, monkeypatch, command):
    for name in ("DJANGO_SUPERUSER_PASSWORD", "DEMO_PASSWORD"):
        monkeypatch.setenv(name, TOO_LONG)
    more = {"email": "new@example.com", "interactive": False} if command == "createsuperuser" else {}
    with pytest.raises(CommandError, match=SAID):
        call_command(command, **more)
    assert not User.objects.exists() and not hashed


@pytest.mark.parametrize("login", ["alice@example.com", "nobody@example.com"])
def test_too_long_wrong_password_costs_and_answers_like_any_wrong_one(hashed, alice, login):
    pages, costs = [], []
    for password in ("wrong-wrong", TOO_LONG):
        hashed.clear()
        page = text(Client().post("/login/", {"login": login, "password": password}))
        pages.append(re.sub(r'value="[^"]*"', "", page))
        costs.append(len(hashed))
        assert max(hashed) < 100
    assert pages[0] == pages[1] and costs == [2, 2]


def test_too_long_password_is_not_hashed_when_confirming_or_changing(hashed, alice):
    client = sign_in(Client(), alice)
    assert "Incorrect password" in text(client.post("/account/reauthenticate/", {"password": TOO_LONG}))
    form = {"oldpassword": TOO_LONG} | twice("a new long password")
    assert "type your current password" in text(client.post("/account/password/", form))
    assert hashed and max(hashed) < 100


def test_truncated_password_is_wrong(client, alice):
    alice.set_password(LONGEST)
    alice.save()
    form = {"login": alice.email, "password": LONGEST + "x"}
    assert client.post("/login/", form).status_code == 200
    assert client.post("/login/", form | {"password": LONGEST})["Location"] == "/"
