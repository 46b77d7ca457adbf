"""Retired passwords: which tries of them are recognised, and how they are counted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.digests import digest
from credentials.models import Credential, LoginDay, RetiredPassword
from credentials.models.login_day import ALL_LOGINS
from credentials.outcome import Outcome
from credentials.usage import writer
from tests.factories import SYSTEM, make_credential, make_use, password_of

pytestmark = pytest.mark.django_db
HOME, OFFICE = "203.0.113.7", "2001:db8::7"


def refuse(credential, password, outcome=Outcome.WRONG_PASSWORD, **more):
    """A refused login; `outcome` is None as Dovecot tells it."""
    make_use(credential, outcome=outcome, digest=digest(credential.username, password), **more)


def tries():
    """Why a password was retired and the address that tries it → how often."""
    tries = LoginDay.objects.tries(timezone.now())
    return {(each["why"], each["ip"]): each["total"] for each in tries}


def causes():
    rows = LoginDay.objects.filter(username=ALL_LOGINS).exclude(outcome=Outcome.ACCEPTED)
    return dict(rows.values_list("outcome", "count"))


@pytest.mark.parametrize("outcome", [Outcome.WRONG_PASSWORD, None])
def test_password_from_before_a_reset_is_recognised(credential, outcome):
    old = password_of(credential)
    credential.reset_password(by=SYSTEM)
    refuse(credential, old, outcome, number=37)
    refuse(credential, old, outcome, ip=OFFICE)
    assert tries() == {("reset", HOME): 37, ("reset", OFFICE): 1}
    assert causes() == {"old_password": 38}


@pytest.mark.parametrize("outcome", [Outcome.WRONG_PASSWORD, None])
def test_wrong_password_is_not_a_retired_one(credential, outcome):
    credential.reset_password(by=SYSTEM)
    refuse(credential, "wrong", outcome)
    assert tries() == {}
    assert causes() == {"wrong_password": 1}


def test_all_earlier_passwords_are_recognised(credential):
    old = password_of(credential)
    for _ in range(3):
        credential.reset_password(by=SYSTEM)
    refuse(credential, old)
    assert tries() == {("reset", HOME): 1}


@pytest.mark.parametrize("outcome", [Outcome.SUSPENDED, None])
def test_password_of_a_suspended_credential_is_recognised_until_resume(credential, outcome):
    password = password_of(credential)
    credential.suspend(by=SYSTEM)
    refuse(credential, password, outcome)
    refuse(credential, "wrong", Outcome.WRONG_PASSWORD)
    assert tries() == {("suspended", HOME): 1}
    credential.resume(by=SYSTEM)
    assert not RetiredPassword.objects.exists() and tries() == {}


def test_reset_while_suspended_leaves_two_retired_passwords(credential):
    old = password_of(credential)
    credential.suspend(by=SYSTEM)
    credential.reset_password(by=SYSTEM)
    refuse(credential, old, Outcome.WRONG_PASSWORD)
    refuse(credential, password_of(credential), Outcome.SUSPENDED, number=2)
    assert tries() == {("reset", HOME): 1, ("suspended", HOME): 2}


def test_reset_goes_by_the_state_at_its_own_time(credential):
    as_it_was = Credential.objects.get(pk=credential.pk)
    credential.suspend(by=SYSTEM)
    as_it_was.reset_password(by=SYSTEM)
    assert sorted(RetiredPassword.objects.values_list("why", flat=True)) == ["reset", "suspended"]
    suspended = Credential.objects.get(pk=credential.pk)
    credential.resume(by=SYSTEM)
    suspended.reset_password(by=SYSTEM)
    assert set(RetiredPassword.objects.values_list("why", flat=True)) == {"reset"}


@pytest.mark.parametrize("password", ["the right one", "wrong"])
def test_any_password_at_a_deleted_username_is_recognised(credential, password):
    password = password_of(credential) if password != "wrong" else password
    credential.remove(by=SYSTEM)
    refuse(credential, password, Outcome.UNKNOWN_USERNAME)
    assert tries() == {("deleted", HOME): 1}
    assert causes() == {"unknown_username": 1}


def test_deleted_username_is_recognised_without_its_key(credential):
    Credential.objects.update(password_sealed="v1.k0.AAAA")
    credential.remove(by=SYSTEM)
    refuse(credential, "any", None)
    assert tries() == {("deleted", HOME): 1}


def test_old_password_is_a_try_only_after_its_grace_period(credential):
    old = password_of(credential)
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
    make_use(credential, is_previous=True)
    assert tries() == {}
    refuse(credential, old)
    assert tries() == {("reset", HOME): 1}


def test_tries_of_addresses_beyond_the_bound_are_counted_together(credential, monkeypatch):
    monkeypatch.setattr(writer, "MAX_ADDRESSES", 2)
    old = password_of(credential)
    credential.reset_password(by=SYSTEM)
    for number in (1, 2, 3, 4, 1):
        refuse(credential, old, ip=f"203.0.113.{number}")
    assert tries() == {("reset", "203.0.113.1"): 2, ("reset", "203.0.113.2"): 1, ("reset", ""): 2}


def test_retired_passwords_are_forgotten_after_90_days(domain):
    now = timezone.now()
    for days in (91, 89):
        credential = make_credential(domain)
        old = password_of(credential)
        credential.reset_password(by=SYSTEM)
        refuse(credential, old)
        RetiredPassword.objects.filter(username=credential.username).update(since=now - timedelta(days=days))
    RetiredPassword.objects.forget(now)
    assert [each.username for each in RetiredPassword.objects.all()] == [credential.username]
    assert tries() == {("reset", HOME): 1}
    assert causes() == {"old_password": 2}
