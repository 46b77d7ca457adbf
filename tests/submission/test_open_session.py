"""An open session loses its right to send with the credential (T26)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.models import Credential
from domains.models import Domain
from tests.factories import SYSTEM, password_of
from tests.submission.clients import SENDER, auth_plain, finish, submit

pytestmark = pytest.mark.django_db(transaction=True)


def delete(credential):
    credential.remove(by=SYSTEM)


def reset(credential):
    credential.reset_password(by=SYSTEM)


def suspend(credential):
    credential.suspend(by=SYSTEM)


def expire(credential):
    Credential.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def suspend_domain(credential):
    Domain.objects.update(suspended_at=timezone.now())


def unauthorize_domain(credential):
    Domain.objects.update(authorized_at=None)


def delete_domain(credential):
    Domain.objects.all().delete()


ACTS = [delete, reset, suspend, expire, suspend_domain, unauthorize_domain, delete_domain]


@pytest.mark.parametrize("act", ACTS)
def test_the_next_mail_is_refused_and_the_session_is_logged_out(smtp, credential, outbox, act):
    assert submit(smtp)[0] == 250
    act(credential)
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>") == (535, b"5.7.8 Authentication credentials invalid")
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>") == (530, b"5.7.0 Authentication required")
    assert len(outbox()) == 1


@pytest.mark.parametrize("act", ACTS)
def test_a_message_that_is_coming_in_is_not_kept(smtp, credential, outbox, act):
    for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA"):
        assert smtp.docmd(command)[0] < 400
    act(credential)
    assert finish(smtp)[0] == 550
    assert outbox() == []
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>")[0] == 530


def test_after_a_reset_the_session_may_log_in_with_the_new_password(smtp, credential):
    credential.reset_password(by=SYSTEM)
    assert submit(smtp)[0] == 535
    assert auth_plain(smtp, credential.username, password_of(credential))[0] == 235
    assert submit(smtp)[0] == 250


def test_a_suspended_and_resumed_credential_sends_again(smtp, credential):
    credential.suspend(by=SYSTEM)
    credential.resume(by=SYSTEM)
    assert submit(smtp)[0] == 250
