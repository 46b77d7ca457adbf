"""The log: one line per login, no secrets at any level, no forged lines."""

import base64
import re

import pytest

from submission import log as journal
from tests.factories import password_of
from tests.submission.clients import SENDER, auth_login, auth_plain, encoded, submit

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

WRONG = "a-wrong-but-nearly-right-password"


def test_no_password_reaches_the_log_at_debug(start_listener, credential):
    password = password_of(credential)
    secrets = [password, WRONG]
    with start_listener(LOG_LEVEL="DEBUG", PYTHONASYNCIODEBUG="1") as listener:
        logs_in_in_every_way(listener, credential.username, password)
        log = listener.log.read_text()
    assert log.count("outcome=accepted") >= 2
    assert "DEBUG" in log
    for secret in secrets:
        for form in (
            secret,
            base64.b64encode(secret.encode()).decode(),
            encoded("", credential.username, secret),
        ):
            assert form not in log
            assert form.rstrip("=")[4:-4] not in log


def logs_in_in_every_way(listener, username, password):
    for secret in (password, WRONG):
        early = listener.connect()  # before TLS: refused, and what follows is taken for commands
        auth_plain(early, username, secret)
        early.docmd("AUTH", "LOGIN")
        early.docmd(encoded(username))
        early.docmd(encoded(secret))
        early.docmd(secret)
        for auth in (auth_plain, auth_login):
            auth(listener.secure(), username, secret)
        swapped = listener.secure()
        swapped.docmd("AUTH", "PLAIN " + encoded(secret, username, secret))
        swapped.docmd("AUTH", f"PLAIN {encoded('', username, secret)} {secret}")
        swapped.docmd("AUTHPLAIN", encoded("", username, secret))
        swapped.docmd(f"AUTH\tPLAIN {encoded('', username, secret)}")
        swapped.docmd("AUTH", f"{secret}")
    for auth in (auth_plain, auth_login):
        auth(listener.secure(), password, username)  # pasted into the wrong field
    submit(listener.login_with(username, password))


def without_session(line):
    return re.sub(" session=[0-9a-f]{16}$", "", line)


def test_log_lines_of_a_session_share_an_id(listener, credential):
    def sessions(what):
        line = rf"{what}.*username={credential.username} .* session=(\w+)$"
        return re.findall(line, listener.log.read_text(), re.M)

    for _ in range(2):
        submit(listener.login(credential))
    assert sessions("AUTH") == sessions("MESSAGE id=")
    assert len(set(sessions("AUTH"))) == 2


def test_each_login_has_one_log_line(listener, credential):
    auth_plain(listener.secure(), credential.username, "wrong")
    auth_plain(listener.secure(), credential.username, password_of(credential))
    lines = [
        line for line in listener.log.read_text().splitlines() if f"username={credential.username}" in line
    ]
    assert [without_session(line).split("INFO ")[1] for line in lines] == [
        f"submission AUTH username={credential.username} peer=127.0.0.1 outcome=wrong_password",
        f"submission AUTH username={credential.username} peer=127.0.0.1 outcome=accepted",
    ]


def test_username_cannot_forge_a_log_line(listener):
    name = "x\r\n2026 INFO submission AUTH username=forged outcome=accepted\x1b[2J\u202e"
    auth_login(listener.secure(), name, "wrong")
    [line] = [line for line in listener.log.read_text().splitlines() if "forged" in line]
    assert "username=x??2026?INFO?submission" in line
    assert without_session(line).endswith("peer=127.0.0.1 outcome=unknown_username")


def test_each_message_has_one_log_line(smtp, listener, credential):
    submit(smtp)
    submit(smtp, b"From: nobody\r\n\r\n")
    lines = [line for line in listener.log.read_text().splitlines() if "MESSAGE id=" in line]
    assert f"username={credential.username} peer=127.0.0.1 sender={SENDER} recipients=1 bytes=" in lines[-2]
    assert without_session(lines[-2]).endswith("reply=250 2.0.0")
    assert without_session(lines[-1]).endswith("reply=550 5.7.1")


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "-"), ("a b", "a?b"), ("a\nb", "a?b"), ("ü\x00\x7f", "???"), ("x" * 100, "x" * 64), ("<&>", "<&>")],
)
def test_printable_returns_one_word_of_ascii(text, word):
    assert journal.printable(text) == word


def test_crash_is_logged_without_the_text_of_its_exception(caplog):
    text = "secret-word"
    try:
        raise ValueError(text)
    except ValueError as error:
        journal.crash("It", error)
    assert "It failed: ValueError" in caplog.text
    assert "test_log.py" in caplog.text
    assert text not in caplog.text
