"""Every reply of a session is one of our table, and clients of all kinds get them: none is a library's own."""

import re
import smtplib

import pytest

from submission.listener import replies
from tests.factories import SYSTEM, password_of
from tests.submission.clients import SENDER, encoded

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

MAIL, RCPT = f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>"
# Reply → the test that gets it.
ELSEWHERE = {
    replies.INTERNAL_ERROR: "test_stop",
    replies.NO_SPACE: "test_outbox",
    replies.LOGIN_UNAVAILABLE: "test_database",
    replies.TOO_MANY_CONNECTIONS: "test_limits",
    replies.TOO_MANY_GUESSES: "test_guesses",
    replies.TIMED_OUT: "test_limits",
    replies.SHUTTING_DOWN: "test_stop",
    replies.BARE_LF: "test_line_ends",
    replies.BARE_NEWLINE: "test_line_ends",
    replies.TOO_MANY_RECIPIENTS: "test_limits",
} | dict.fromkeys(replies.DELIVERY_REPLIES.values(), "test_relay")


def table() -> set[str]:
    """Every reply that there is."""
    found = {value for value in vars(replies).values() if isinstance(value, str) and value[:3].isdigit()}
    for value in vars(replies).values():
        if isinstance(value, dict):
            found |= {
                text for text in (*value, *value.values()) if isinstance(text, str) and text[:3].isdigit()
            }
    return found


def pattern(reply: str) -> str:
    return re.sub(r"\\\{\w+\\\}", ".+", re.escape(reply))


def say(smtp, *commands) -> list[str]:
    """The replies to commands, and to what is sent after DATA."""
    said = []
    for command in commands:
        smtp.sock.sendall(f"{command}\r\n".encode())
        try:
            code, text = smtp.getreply()
        except smtplib.SMTPServerDisconnected:
            return said
        said += [f"{code} {line}" for line in text.decode().split("\n")]
    return said


def sessions(listener, credential):
    """What clients of all kinds are told, from the first command on."""
    name, password = credential.username, password_of(credential)
    right = f"AUTH PLAIN {encoded('', name, password)}"
    wrong = f"AUTH PLAIN {encoded('', name, 'wrong')}"
    printer = listener.connect()
    yield say(printer, "HELO printer", "AUTH LOGIN", MAIL, "STARTTLS x", "NOOP", "STARTTLS")
    yield say(
        listener.secure(),
        *(
            "STARTTLS",
            "HELO printer",
            "AUTH LOGIN",
            encoded(name),
            encoded(password),
            right,
            MAIL,
            RCPT,
            "RSET",
        ),
    )
    yield say(listener.secure(), "AUTH PLAIN !", right)
    early = listener.connect()
    early.starttls(context=listener.trusting())
    yield say(early, MAIL)
    yield say(listener.secure(), "AUTH", "AUTH CRAM-MD5", "AUTH PLAIN", "*", "AUTH PLAIN !")
    yield say(listener.secure(), "AUTH PLAIN AA==", "AUTH PLAIN", "x" * 2000, wrong, MAIL, right)
    yield say(listener.secure(), MAIL, RCPT, "DATA", "FOO", "VRFY a", "HELP", "\r", "x" * 2000, "EHLO", "QUIT")
    logged_in = listener.login(credential)
    yield say(
        logged_in, RCPT, MAIL, MAIL, "DATA", f"{RCPT} X=1", "RCPT TO:<>", "RCPT TO:<\u00e9@b.example>", "RSET"
    )
    yield say(
        logged_in, "MAIL FROM:<a@b.example>", "MAIL FROM:<a>", "MAIL", f"{MAIL} SIZE=999999999", f"{MAIL} X=1"
    )
    refused = {
        "From: a@b.example": "553",
        "Subject: x\r\nFrom : a": "550",
        f"From: {SENDER}\r\nFrom: {SENDER}": "550",
        f"From: {SENDER}\r\nSender: {SENDER}, {SENDER}": "550",
        "From: nobody": "550",
        f"From: a@b.example <{SENDER}>": "550",
        f"From: a\u200b <{SENDER}>": "550",
        f"From: {SENDER}\r\n\r\n\0": "550",
        f"From: {SENDER}": "250",
    }
    for header, code in refused.items():
        smtp = listener.login(credential)
        *said, last = say(smtp, MAIL, RCPT, "DATA", f"{header}\r\n\r\nx\r\n.")
        assert last.startswith(code), (header, last)
        yield [*said, last]
    yield say(listener.login(credential), *["FOO"] * 20)
    smtp = listener.secure()
    yield say(smtp, wrong, wrong, wrong, wrong)
    credential.remove(by=SYSTEM)
    yield say(logged_in, "MAIL FROM:<>")


def test_every_reply_is_from_the_table_and_every_one_is_reached(listener, credential):
    seen = {reply for session in sessions(listener, credential) for reply in session}
    greeting = listener.connect()
    seen |= {f"{code} {text.decode()}" for code, text in [greeting.docmd("NOOP")]}
    known = {reply: re.compile(pattern(reply)) for reply in table()}
    hello = re.compile(
        r"250 (smtp\.sendlayer\.net|AUTH LOGIN PLAIN|STARTTLS|SIZE \d+|PIPELINING|8BITMIME|SMTPUTF8)"
    )
    challenge = re.compile(r"334 (VXNlcm5hbWU6|UGFzc3dvcmQ6)?")
    strange = [
        reply
        for reply in seen
        if not any(form.fullmatch(reply) for form in (*known.values(), hello, challenge))
    ]
    assert strange == []
    reached = {reply for reply, form in known.items() if any(map(form.fullmatch, seen))}
    assert table() - reached - ELSEWHERE.keys() == {replies.GREETING}
