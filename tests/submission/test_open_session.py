"""An open session loses its right to send with the credential (T26)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.models import Credential
from tests.factories import SYSTEM, make_credential, password_of
from tests.mail import acts
from tests.submission.clients import SENDER, auth_plain, finish, submit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("act", acts.ALL)
def test_next_mail_is_refused_and_the_session_logged_out(smtp, credential, outbox, act):
    assert submit(smtp)[0] == 250
    act(credential)
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>") == (535, b"5.7.8 Authentication credentials invalid")
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>") == (530, b"5.7.0 Authentication required")
    assert len(outbox()) == 1


@pytest.mark.parametrize("act", acts.ALL)
def test_message_being_received_is_not_stored(smtp, credential, outbox, act):
    for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA"):
        assert smtp.docmd(command)[0] < 400
    act(credential)
    assert finish(smtp)[0] == 550
    assert outbox() == []
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>")[0] == 530


def test_none_of_1000_logins_after_a_delete_succeeds(listener, domain):
    doomed, kept = make_credential(domain), make_credential(domain)
    password = password_of(doomed)

    def login(_number):
        smtp = listener.secure()
        reply = auth_plain(smtp, doomed.username, password)[0]
        smtp.close()
        return reply

    with ThreadPoolExecutor(16) as pool:
        before = list(pool.map(login, range(20)))
        doomed.remove(by=SYSTEM)
        after = list(pool.map(login, range(1000)))
    assert before == [235] * 20
    assert after == [535] * 1000
    listener.login(kept)


def test_session_can_log_in_with_the_new_password_after_a_reset(smtp, credential):
    credential.reset_password(by=SYSTEM)
    assert submit(smtp)[0] == 535
    assert auth_plain(smtp, credential.username, password_of(credential))[0] == 235
    assert submit(smtp)[0] == 250


def test_session_of_the_old_password_sends_until_the_grace_period_ends(smtp, credential):
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
    assert submit(smtp)[0] == 250
    Credential.objects.update(previous_valid_until=timezone.now())
    assert submit(smtp)[0] == 535


def test_narrowed_networks_end_the_session(smtp, credential):
    credential.set_networks("203.0.113.0/24", by=SYSTEM)
    assert submit(smtp)[0] == 535


def test_resumed_credential_sends_again(smtp, credential):
    credential.suspend(by=SYSTEM)
    credential.resume(by=SYSTEM)
    assert submit(smtp)[0] == 250
