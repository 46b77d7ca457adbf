"""Port 465, TLS from the start, has the rules of port 587."""

import smtplib

import pytest

from tests.factories import SYSTEM, password_of
from tests.submission.clients import SENDER, auth_login, auth_plain, submit, wait_until

pytestmark = [pytest.mark.mail, pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def smtp(mail):
    smtp = mail.implicit_tls()
    smtp.ehlo("client.example")
    return smtp


@pytest.mark.parametrize("auth", [auth_plain, auth_login])
def test_right_password_sends(smtp, sink, credential, auth):
    assert "starttls" not in smtp.esmtp_features and "PLAIN" in smtp.esmtp_features["auth"]
    assert auth(smtp, credential.username, password_of(credential))[0] == 235
    assert submit(smtp)[0] == 250
    assert wait_until(lambda: sink.sink.messages)[0][0] == SENDER


def test_old_device_with_helo_sends(mail, sink, credential):
    smtp = mail.implicit_tls()
    assert smtp.helo("printer")[0] == 250
    assert auth_login(smtp, credential.username, password_of(credential))[0] == 235
    assert submit(smtp)[0] == 250
    assert wait_until(lambda: sink.sink.messages)[0][0] == SENDER


def test_wrong_password_and_deleted_credential_are_refused(smtp, credential):
    password = password_of(credential)
    assert auth_plain(smtp, credential.username, "wrong")[0] == 535
    credential.remove(by=SYSTEM)
    assert auth_plain(smtp, credential.username, password)[0] == 535


def test_other_senders_are_refused(smtp, credential):
    assert smtp.docmd("MAIL FROM:<info@elsewhere.example>")[0] == 450
    auth_plain(smtp, credential.username, password_of(credential))
    assert smtp.docmd("MAIL FROM:<info@other.example>")[0] == 553
    assert submit(smtp, b"From: info@other.example\r\n\r\n")[0] == 553


def test_deleted_credential_sends_nothing_in_an_open_session(smtp, credential):
    auth_plain(smtp, credential.username, password_of(credential))
    assert submit(smtp)[0] == 250
    credential.remove(by=SYSTEM)
    assert smtp.docmd(f"MAIL FROM:<{SENDER}>")[0] == 553


def test_client_that_starts_without_tls_is_refused(mail):
    with pytest.raises((smtplib.SMTPException, OSError)):
        smtplib.SMTP("127.0.0.1", mail.server.tls_port, timeout=15)
