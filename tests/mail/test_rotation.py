"""Two passwords while a rotation overlaps: the old one until its deadline, the new one at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.models import Credential
from tests.factories import SYSTEM, password_of
from tests.submission import rotating
from tests.submission.clients import SENDER, submit, wait_until

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]

HOUR = timedelta(hours=1)


def end_overlap():
    Credential.objects.update(previous_valid_until=timezone.now() - timedelta(milliseconds=1))


def test_both_passwords_are_accepted_during_the_grace_period(mail, credential):
    old = password_of(credential)
    new = credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    for password in (old, new):
        assert mail.try_login(credential.username, password)[0] == 235
    end_overlap()
    assert mail.try_login(credential.username, old)[0] == 535
    assert mail.try_login(credential.username, new)[0] == 235


def test_second_reset_ends_the_first_grace_period(mail, credential):
    first = password_of(credential)
    second = credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    third = credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    replies = [mail.try_login(credential.username, password)[0] for password in (first, second, third)]
    assert replies == [535, 235, 235]


def test_session_of_the_old_password_sends_until_the_grace_period_ends(mail, credential):
    smtp = mail.login(credential)
    credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    assert submit(smtp)[0] == 250
    new = mail.login(credential)
    end_overlap()
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>")[0] == 553
    assert submit(new)[0] == 250


def test_suspended_credential_has_no_grace_period(mail, credential):
    old = password_of(credential)
    credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    credential.suspend(by=SYSTEM)
    assert mail.try_login(credential.username, old)[0] == 535


def test_revoked_password_is_refused_in_open_sessions(mail, credential):
    old, smtp = password_of(credential), mail.login(credential)
    credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    credential.revoke_old_password(by=SYSTEM)
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>")[0] == 553
    replies = [mail.try_login(credential.username, password)[0] for password in (old, password_of(credential))]
    assert replies == [535, 235]


def test_no_login_is_refused_during_a_rotation(mail, as_alice, credential):
    rotating.rotate_under(lambda *login: mail.try_login(*login)[0], as_alice, credential)


def test_old_password_is_refused_after_the_grace_period(mail, credential):
    rotating.hold_on_to_the_old_password(lambda *login: mail.try_login(*login)[0], credential)


def test_use_of_the_old_password_is_reported(mail, credential):
    old = password_of(credential)
    new = credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    mail.try_login(credential.username, new, source="127.0.0.2")
    mail.try_login(credential.username, old, source="127.0.0.3")
    wait_until(Credential.objects.filter(previous_last_used_ip="127.0.0.3").exists)


def test_allowed_networks_apply_to_the_old_password(mail, credential):
    old = password_of(credential)
    credential.reset_password(by=SYSTEM, keep_old_for=HOUR)
    credential.set_networks("203.0.113.7", by=SYSTEM)
    assert mail.try_login(credential.username, old)[0] == 535
