"""An open session loses its right to send with the credential (T26)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.models import Credential
from tests.factories import SYSTEM, make_credential, password_of
from tests.mail import acts
from tests.submission.clients import SENDER, auth_plain, closed, finish, submit

pytestmark = pytest.mark.django_db(transaction=True)

NO_LONGER_VALID = (421, b"4.7.0 This SMTP user is no longer valid, closing connection")


@pytest.mark.parametrize("act", acts.ALL)
def test_next_mail_is_refused_and_the_session_closed(smtp, credential, outbox, act):
    assert submit(smtp)[0] == 250
    act(credential)
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>") == NO_LONGER_VALID
    assert closed(smtp)
    assert len(outbox()) == 1


@pytest.mark.parametrize("act", acts.ALL)
def test_message_being_received_is_not_stored(smtp, credential, outbox, act):
    for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA"):
        assert smtp.docmd(command)[0] < 400
    act(credential)
    assert finish(smtp) == NO_LONGER_VALID
    assert closed(smtp)
    assert outbox() == []


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


def test_pipelined_commands_of_a_closed_session_are_dropped(smtp, credential, outbox):
    credential.remove(by=SYSTEM)
    commands = [f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA", "From: x", "", "x", "."]
    smtp.sock.sendall("".join(f"{command}\r\n" for command in commands).encode())
    assert smtp.getreply() == NO_LONGER_VALID
    assert closed(smtp)
    assert outbox() == []


@pytest.mark.parametrize("login", ["wrong password", "deleted", "no mechanism"])
def test_client_that_goes_on_after_a_refused_login_keeps_its_mail(secure, credential, login):
    password = password_of(credential) if login == "deleted" else "wrong"
    credential.remove(by=SYSTEM)
    if login == "no mechanism":
        assert secure.docmd("AUTH CRAM-MD5")[0] == 504
    else:
        assert auth_plain(secure, credential.username, password)[0] == 535
    assert submit(secure) == (450, b"4.7.0 Authentication failed, message not accepted")


def test_session_of_the_old_password_sends_until_the_grace_period_ends(smtp, credential):
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
    assert submit(smtp)[0] == 250
    Credential.objects.update(previous_valid_until=timezone.now())
    assert submit(smtp) == NO_LONGER_VALID


def test_narrowed_networks_end_the_session(smtp, credential):
    credential.set_networks("203.0.113.0/24", by=SYSTEM)
    assert submit(smtp) == NO_LONGER_VALID


def test_resumed_credential_sends_again(smtp, credential):
    credential.suspend(by=SYSTEM)
    credential.resume(by=SYSTEM)
    assert submit(smtp)[0] == 250
