"""Who may log in at Postfix and Dovecot: whom the views list, from the moment of the commit."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.mail import auth_socket
from tests.factories import SYSTEM, make_credential, password_of
from tests.mail import acts
from tests.submission.clients import auth_login, auth_plain, encoded, submit, wait_until

pytestmark = [pytest.mark.mail, pytest.mark.django_db(transaction=True)]

LOGINS_AFTER_DELETE = 1000


@pytest.mark.parametrize("auth", [auth_plain, auth_login])
def test_correct_password_is_accepted_and_the_message_delivered(mail, sink, credential, auth):
    smtp = mail.secure()
    assert auth(smtp, credential.username, password_of(credential))[0] == 235
    assert submit(smtp)[0] == 250
    sender, recipients, content = wait_until(lambda: sink.sink.messages)[0]
    assert (sender, recipients) == ("info@sl.example.com", ["somebody@example.org"])
    assert b"Subject: Hello" in content


@pytest.mark.parametrize("auth", [auth_plain, auth_login])
def test_wrong_password_and_unknown_username_get_the_same_reply(mail, credential, auth):
    refused = {
        auth(mail.secure(), credential.username, "wrong"),
        auth(mail.secure(), "0" * 32, password_of(credential)),
        auth(mail.secure(), f"{credential.username}0", password_of(credential)),
    }
    assert len(refused) == 1
    assert refused.pop()[0] == 535


@pytest.mark.parametrize("auth", [auth_plain, auth_login])
def test_username_in_lower_case_or_with_blanks_around_it_is_accepted(mail, credential, auth):
    for username in (
        credential.username.lower(),
        f"{credential.username} ",
        f"  {credential.username.lower()}",
    ):
        smtp = mail.secure()
        assert auth(smtp, username, password_of(credential))[0] == 235
        assert submit(smtp)[0] == 250
    assert auth(mail.secure(), credential.username.lower(), "wrong")[0] == 535


def test_new_credential_is_accepted_at_once(mail, domain):
    for _ in range(20):
        credential, password = domain.credentials.issue(by=SYSTEM)
        assert mail.try_login(credential.username, password)[0] == 235


@pytest.mark.parametrize("act", acts.ALL)
def test_revoked_credential_is_refused_at_once(mail, credential, act):
    password = password_of(credential)
    assert mail.try_login(credential.username, password)[0] == 235
    act(credential)
    assert mail.try_login(credential.username, password)[0] == 535


def test_reset_replaces_the_password(mail, credential):
    old = password_of(credential)
    new = credential.reset_password(by=SYSTEM)
    assert mail.try_login(credential.username, new)[0] == 235
    assert mail.try_login(credential.username, old)[0] == 535


def test_resumed_credential_is_accepted_again(mail, credential):
    credential.suspend(by=SYSTEM)
    credential.resume(by=SYSTEM)
    assert mail.try_login(credential.username, password_of(credential))[0] == 235


def test_none_of_1000_logins_after_a_delete_succeeds(mail, domain):
    doomed, kept = make_credential(domain), make_credential(domain)
    password = password_of(doomed)
    # A refusal takes Dovecot half a second.
    with ThreadPoolExecutor(64) as pool:
        before = list(pool.map(lambda _: mail.try_login(doomed.username, password)[0], range(20)))
        doomed.remove(by=SYSTEM)
        after = list(
            pool.map(lambda _: mail.try_login(doomed.username, password)[0], range(LOGINS_AFTER_DELETE))
        )
    assert before == [235] * 20
    assert after == [535] * LOGINS_AFTER_DELETE
    assert mail.try_login(kept.username, password_of(kept))[0] == 235


def test_more_concurrent_logins_than_dovecot_workers_are_accepted(mail, credential):
    response = encoded("", credential.username, password_of(credential)).encode()
    # Raises Refused at the first answer that is not OK; bench.mail.auth_socket.WINDOW wait at a time.
    assert auth_socket.rate(mail.server.auth_socket, [response], 1, random.Random(1)) > 0  # noqa: S311


def test_auth_is_neither_offered_nor_accepted_before_tls(mail, credential):
    smtp = mail.connect()
    assert "auth" not in smtp.esmtp_features
    assert auth_plain(smtp, credential.username, password_of(credential))[0] == 530
    assert smtp.docmd("MAIL FROM:<info@sl.example.com>")[0] == 530


def test_foreign_authorization_identity_is_refused(mail, domain):
    one, other = make_credential(domain), make_credential(domain)
    for identity in (other.username, "postmaster", "root@sl.example.com"):
        assert auth_plain(mail.secure(), one.username, password_of(one), identity)[0] == 535


HOSTILE = {
    "sql": b"' OR '1'='1",
    "sql_union": b"' UNION SELECT 'x', '{PLAIN}x', NULL --",
    "sql_comment": b"0' --",
    "variable": b"%u%{orig_user}%w",
    "backslash": b"\\'; DROP TABLE credentials_credential; --",
    "tab": b"AB\tuser=root",
    "newline": b"AB\nOK\t1\tuser=root",
    "not_utf8": b"\xff\xfe\x80",
    "empty": b"",
    "long": b"A" * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("field", ["username", "password"])
def test_hostile_logins_are_refused_without_harm(mail, credential, name, field):
    text = HOSTILE[name]
    login = (text, b"sl_secret-word") if field == "username" else (credential.username, text)
    assert auth_plain(mail.secure(), *login)[0] in (501, 535)
    assert mail.try_login(credential.username, password_of(credential))[0] == 235
    assert "secret-word" not in mail.server.log
    assert "Panic" not in mail.server.log and "Fatal" not in mail.server.log


@pytest.mark.parametrize(
    "response",
    [
        encoded("", "A\0B", "sl_secret-word"),
        encoded("a", "b"),
        encoded("", "", "", ""),
        encoded("", "A" * 10_000, "sl_secret-word"),
        encoded("", "A" * 32, "sl_secret-word" * 1000),
        "!!!not-base64!!!",
        "=",
    ],
)
def test_malformed_responses_are_refused_without_harm(mail, credential, response):
    reply = mail.secure().docmd("AUTH", f"PLAIN {response}")
    assert 500 <= reply[0] < 600
    assert mail.try_login(credential.username, password_of(credential))[0] == 235
    assert "secret-word" not in mail.server.log
    assert "Panic" not in mail.server.log and "Fatal" not in mail.server.log
