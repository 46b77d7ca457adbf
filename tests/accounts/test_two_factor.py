"""Authenticator app, recovery codes, malformed passkeys."""

import json
import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from audit.models import Event
from tests.accounts.codes import code_of, make_recovery_codes, make_totp, recovery_codes, stored, wrong
from tests.factories import PASSWORD
from tests.http import delivered, sign_in, text
from vault.cipher import new_key

pytestmark = pytest.mark.django_db

HOME = "/account/two-factor/"
SECOND = f"{HOME}authenticate/"
REFUSED = "Incorrect code."
LIMITED = "Too many failed login attempts"


def first_step(client, **where):
    form = {"login": "alice@example.com", "password": PASSWORD, "next": "/domains/"}
    assert client.post("/login/", form, **where)["Location"] == SECOND
    return client


def is_signed_in(client):
    return client.get("/domains/").status_code == 200


@pytest.fixture
def secret(alice):
    return make_totp(alice)


def test_authenticator_app_is_set_up_with_its_first_code(as_alice, alice):
    page = text(as_alice.get(f"{HOME}totp/activate/"))
    secret = re.search(r'data-copy="([A-Z2-7]{32})"', page)[1]
    assert 'src="data:image/svg+xml;base64,' in page
    assert secret not in str(dict(as_alice.session))
    refused = as_alice.post(f"{HOME}totp/activate/", {"code": wrong(secret)})
    assert REFUSED in text(refused) and secret in text(refused)
    assert not Authenticator.objects.exists()
    done = as_alice.post(f"{HOME}totp/activate/", {"code": code_of(secret)}, follow=True)
    assert "Recovery codes" in text(done)
    assert all(code in text(done) for code in recovery_codes(alice))
    assert secret not in stored(alice) and secret not in str(dict(as_alice.session))


def test_pending_secret_that_no_key_unseals_is_replaced(as_alice, settings):
    as_alice.get(f"{HOME}totp/activate/")
    settings.CREDENTIAL_KEYS = f"k9:{new_key()}"
    assert REFUSED in text(as_alice.post(f"{HOME}totp/activate/", {"code": "000000"}))


def test_two_factor_changes_are_mailed_and_recorded(
    as_alice, alice, secret, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        as_alice.post(f"{HOME}totp/deactivate/")
    assert not Authenticator.objects.exists()
    (message,) = delivered()
    assert (message.to, message.subject) == (["alice@example.com"], "Authenticator app turned off")
    assert "If it wasn't you" in message.body and "127.0.0.1" in message.body
    event = Event.objects.get()
    assert (event.tag, event.actor_name, event.ip) == ("account.totp_removed", "alice@example.com", "127.0.0.1")


def test_two_factor_secrets_are_sealed(alice, secret):
    codes = make_recovery_codes(alice)
    held = stored(alice)
    assert held.count("v1.k1.") == 2
    assert not any(word in held for word in [secret, *codes])


def test_sign_in_requires_the_code(client, alice, secret):
    first_step(client)
    assert not is_signed_in(client)
    assert REFUSED in text(client.post(SECOND, {"code": wrong(secret)}))
    assert not is_signed_in(client)
    assert client.post(SECOND, {"code": code_of(secret)})["Location"] == "/domains/"
    assert is_signed_in(client)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_code_works_once_within_its_validity(alice, secret, steps):
    code = code_of(secret, steps)
    assert first_step(Client()).post(SECOND, {"code": code}).status_code == 302
    assert REFUSED in text(first_step(Client()).post(SECOND, {"code": code}))
    cache.delete(f"allauth.mfa.totp.used?user={alice.pk}&code={code}")  # as after 30 seconds
    assert REFUSED in text(first_step(Client()).post(SECOND, {"code": code}))


@pytest.mark.parametrize("steps", [-3, 3])
def test_expired_or_future_code_is_refused(alice, secret, steps):
    assert REFUSED in text(first_step(Client()).post(SECOND, {"code": code_of(secret, steps)}))


@pytest.mark.parametrize("code", ["", "\x00", "x" * 9999, "１２３４５６", "123 456\r\n", "-1"])
def test_malformed_code_is_refused(client, alice, secret, code):
    response = first_step(client).post(SECOND, {"code": code})
    assert response.status_code == 200 and 'class="error"' in text(response)
    assert not is_signed_in(client)


def test_a_recovery_code_works_once(alice, secret):
    code, other = make_recovery_codes(alice)[:2]
    assert first_step(Client()).post(SECOND, {"code": code})["Location"] == "/domains/"
    assert REFUSED in text(first_step(Client()).post(SECOND, {"code": code}))
    assert first_step(Client()).post(SECOND, {"code": other})["Location"] == "/domains/"
    assert len(recovery_codes(alice)) == 8


def test_new_recovery_codes_replace_old_ones_after_a_confirmation(as_alice, alice, secret):
    old = make_recovery_codes(alice)
    assert "stop working immediately" in text(as_alice.get(f"{HOME}recovery-codes/generate/"))
    assert recovery_codes(alice) == old
    page = text(as_alice.post(f"{HOME}recovery-codes/generate/", follow=True))
    new = recovery_codes(alice)
    assert not set(old) & set(new) and all(code in page for code in new)
    download = as_alice.get(f"{HOME}recovery-codes/download/")
    assert download["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert download.content.decode().split()[-10:] == new


def test_right_code_waits_after_5_wrong_ones_except_from_another_address(alice, secret, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    here, there = ({"headers": {"X-Forwarded-For": address}} for address in ("203.0.113.1", "203.0.113.2"))
    attacker = first_step(Client(), **here)
    for _ in range(5):
        assert REFUSED in text(attacker.post(SECOND, {"code": wrong(secret)}, **here))
    assert LIMITED in text(attacker.post(SECOND, {"code": code_of(secret)}, **here))
    owner = first_step(Client(), **there)
    assert owner.post(SECOND, {"code": code_of(secret)}, **there).status_code == 302


def test_wrong_codes_are_limited_per_account_over_all_addresses(alice, secret, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    attacker, code = first_step(Client()), wrong(secret)
    for number in range(101):
        where = {"headers": {"X-Forwarded-For": f"203.0.113.{number // 5}"}}
        answer = text(attacker.post(SECOND, {"code": code}, **where))
        assert (REFUSED if number < 100 else LIMITED) in answer


def test_two_factor_reports_keys_that_can_not_unseal_the_secret(client, alice, secret, settings):
    settings.CREDENTIAL_KEYS = f"k2:{new_key()}"
    assert "none of its keys can unseal your secret" in text(
        first_step(client).post(SECOND, {"code": "123456"})
    )
    assert not is_signed_in(client)


def test_user_deactivated_between_the_steps_is_refused(client, alice, secret):
    first_step(client)
    type(alice).objects.update(is_active=False)
    client.post(SECOND, {"code": code_of(secret)})
    assert not is_signed_in(client)


ANSWERS = ["", "x", "\x00", "null", "1", "[]", "{}", '{"response": 1}', '{"response": {"userHandle": 1}}']
ANSWERS += [json.dumps({"id": "x", "rawId": "x", "type": "public-key", "response": {"userHandle": "MQ"}})]
ANSWERS += ["[" * 5000, "9" * 5000]


@pytest.mark.parametrize("answer", ANSWERS)
def test_malformed_passkey_is_refused_with_a_reason(client, alice, answer):
    page = client.post(f"{HOME}webauthn/login/", {"credential": answer}, follow=True)
    assert page.status_code == 200 and not is_signed_in(client)
    sign_in(client, alice)
    client.get(f"{HOME}webauthn/add/")
    added = client.post(f"{HOME}webauthn/add/", {"credential": answer, "name": "Mine"})
    assert added.status_code == 200 and 'role="alert"' in text(added)
    assert not Authenticator.objects.exists()


def test_passkey_of_another_user_is_not_found(as_alice, bob):
    data = {"name": "Bob's", "credential": {}}
    passkey = Authenticator.objects.create(user=bob, type="webauthn", data=data)
    for act in ("edit", "remove"):
        assert as_alice.get(f"{HOME}webauthn/keys/{passkey.pk}/{act}/").status_code == 404
        assert as_alice.post(f"{HOME}webauthn/keys/{passkey.pk}/{act}/", {"name": "x"}).status_code == 404
    assert Authenticator.objects.get().data == data


@pytest.mark.parametrize("path", ["recovery-codes/", "recovery-codes/generate/", "webauthn/add/"])
def test_two_factor_pages_require_a_recent_sign_in(client, alice, secret, path):
    make_recovery_codes(alice)
    sign_in(client, alice, ago=timedelta(hours=1))
    for response in (client.get(HOME + path), client.post(HOME + path)):
        assert response.status_code == 405 or response["Location"].startswith("/account/reauthenticate/")


def test_password_reset_does_not_bypass_two_factor(client, alice, secret):
    client.post("/account/password/reset/", {"email": "alice@example.com"})
    link = re.search(r"http://127.0.0.1:8000(/account/password/reset/key/\S+)", delivered()[0].body)[1]
    new = "a new long passphrase"
    client.post(client.get(link)["Location"], {"password1": new, "password2": new})
    assert not is_signed_in(client)
    assert client.post("/login/", {"login": "alice@example.com", "password": new})["Location"] == SECOND
    assert not is_signed_in(client)


def test_reauthentication_by_code(client, alice, secret):
    sign_in(client, alice, ago=timedelta(hours=1))
    confirm = client.get(f"{HOME}totp/deactivate/")["Location"]
    assert f"{HOME}reauthenticate/?next=" in text(client.get(confirm))
    by_code = confirm.replace("/account/reauthenticate/", f"{HOME}reauthenticate/")
    assert "Enter a code to continue." in text(client.get(by_code))
    assert REFUSED in text(client.post(by_code, {"code": wrong(secret)}))
    assert client.post(by_code, {"code": code_of(secret)})["Location"] == f"{HOME}totp/deactivate/"
    assert "Turn off the authenticator app" in text(client.get(f"{HOME}totp/deactivate/"))
