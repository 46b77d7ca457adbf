"""Explain an error, with what the real Postfix and Dovecot reply."""

import pytest
from django.utils import timezone

from credentials.diagnosis.explain import explain
from credentials.diagnosis.findings import Finding
from credentials.diagnosis.parser import read
from tests.factories import SYSTEM, password_of
from tests.submission.clients import MESSAGE, SENDER, auth_plain, submit, wait_until

pytestmark = [pytest.mark.mail, pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


def finding(reply):
    return read(f"smtplib.SMTPResponseException: {reply!r}").finding


def test_wrong_password_and_wrong_network_are_told_apart(mail, credential):
    def is_said(reply, words):
        credential.refresh_from_db()
        return words in explain(repr(reply), credential, now=timezone.now()).title

    reply = mail.try_login(credential.username, "wrong")
    assert finding(reply) is Finding.LOGIN_REFUSED
    assert wait_until(lambda: is_said(reply, "The password is wrong"))
    credential.set_networks("192.0.2.0/24", by=SYSTEM)
    reply = mail.try_login(credential.username, password_of(credential))
    assert wait_until(lambda: is_said(reply, "It may not be used from 127.0.0.1"))


def test_missing_tls_and_missing_login_are_explained(mail):
    smtp = mail.connect()
    assert finding(smtp.docmd("MAIL", f"FROM:<{SENDER}>")) is Finding.TLS_MISSING
    assert finding(auth_plain(smtp, "A" * 32, "x")) is Finding.TLS_MISSING
    assert finding(submit(mail.secure())) is Finding.NOT_LOGGED_IN


def test_refused_senders_are_explained(mail, credential):
    smtp = mail.login(credential)
    assert finding(smtp.docmd("MAIL", "FROM:<info@other.example>")) is Finding.WRONG_SENDER


def test_refused_messages_and_recipients_are_explained(mail, credential):
    smtp = mail.login(credential)
    assert finding(smtp.docmd("MAIL", f"FROM:<{SENDER}> SIZE=999999999")) is Finding.TOO_BIG
    smtp = mail.login(credential)
    assert finding(submit(smtp, MESSAGE, recipients=["bob@example"])) is Finding.RECIPIENT_SYNTAX


def test_other_mechanisms_and_nonsense_are_explained(mail):
    smtp = mail.secure()
    assert finding(smtp.docmd("AUTH", "CRAM-MD5")) is Finding.MECHANISM
    assert finding(smtp.docmd("FOO")) is Finding.OUT_OF_ORDER
