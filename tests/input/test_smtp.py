"""P: commands of SMTP clients. The last reply of each line is the expected one."""

import ssl
import time
from statistics import median

import pytest

from domains.models import Domain
from tests.factories import SYSTEM, make_credential, password_of
from tests.input.catalogue import row, rows
from tests.input.speaking import judge_log
from tests.submission.clients import SENDER, auth_plain, encoded, submit

pytestmark = pytest.mark.django_db(transaction=True)

MAIL, RCPT = f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>"
PLAIN, TLS, IN = "plain", "tls", "logged in"
REFUSED = (535, b"5.7.8 Authentication credentials invalid")


@pytest.fixture
def talk(listener, credential):
    """Send lines in a session at stage PLAIN, TLS or IN; return the code of the last reply."""

    def talk(stage, lines):
        opened = {PLAIN: listener.connect, TLS: listener.secure, IN: lambda: listener.login(credential)}[
            stage
        ]()
        opened.command_encoding = "latin-1"
        for line in lines:
            reply = opened.docmd(line.replace("USERNAME", credential.username))
            assert "sl_" not in reply[1].decode("ascii")
        return reply[0]

    yield talk
    # In any case another client is served immediately.
    assert submit(listener.login(credential))[0] == 250
    judge_log(listener.log)


@rows(
    "stage, lines, code",
    P1b=(PLAIN, ["AUTH PLAIN " + encoded("", "x", "y")], 530),
    P2=(PLAIN, [MAIL], 530),
    P2b=(TLS, [MAIL], 530),
    P3=(TLS, ["AUTH CRAM-MD5"], 504),
    P3b=(TLS, ["AUTH \x00"], 504),
    P3c=(TLS, ["AUTH \x0b"], 501),
    P4=(TLS, ["AUTH PLAIN ####"], 501),
    P4b=(TLS, ["AUTH LOGIN", "####"], 501),
    P5=(TLS, ["AUTH PLAIN " + encoded("x", "y")], 501),
    P5b=(TLS, ["AUTH PLAIN " + encoded("", "a", "b", "c", "d")], 501),
    P7=(TLS, ["AUTH PLAIN " + encoded("", "", "")], 535),
    P7b=(TLS, ["AUTH LOGIN", "=", "="], 535),
    P8=(TLS, ["AUTH PLAIN " + encoded("", b"\xff\xfe", b"\xff")], 535),
    P10=(TLS, ["AUTH PLAIN " + encoded("", "' OR 1=1", "x")], 535),
    P11=(TLS, ["AUTH PLAIN " + encoded("", "%u", "%w")], 535),
    P11b=(TLS, ["AUTH PLAIN " + encoded("", "USERNAME/../x", "x")], 535),
    P12=(TLS, ["AUTH PLAIN " + "A" * 2000], 500),
    P14=(TLS, ["AUTH PLAIN " + encoded("", "x", "y")] * 4, 421),
    P15=(IN, ["AUTH PLAIN " + encoded("", "x", "y")], 503),
    P21=(IN, ["MAIL FROM:<a@b@c>"], 501),
    P21b=(IN, ["MAIL FROM:<a\x00@sl.example.com>"], 501),
    P22=(IN, [f"{MAIL} SIZE=99999999999"], 552),
    P22b=(IN, [f"{MAIL} SIZE=" + "9" * 900], 501),
    P23=(IN, [f"{MAIL} X=1"], 555),
    P23b=(IN, [f"{MAIL} RET=FULL ENVID=x"], 555),
    P31=(IN, [MAIL, *([RCPT] * 1001)], 452),
    P32=(IN, ["VRFY root", "EXPN list"], 502),
    P32b=(TLS, ["BDAT 5 LAST"], 500),
    P32c=(TLS, ["XCLIENT NAME=x ADDR=127.0.0.1"], 500),
    P32d=(PLAIN, ["GET / HTTP/1.1"], 530),
)  # fmt: skip
def test_bad_smtp_command_gets_its_reply(talk, stage, lines, code):
    assert talk(stage, lines) == code


@row("P1")
def test_auth_before_ehlo_is_refused(listener, credential):
    smtp = listener.connect()
    smtp.starttls(context=ssl.create_default_context(cafile=listener.var_dir / "tls" / "submission.crt"))
    assert auth_plain(smtp, credential.username, password_of(credential))[0] == 503


@row("P9")
def test_lower_case_username_needs_its_password(listener, credential):
    username = credential.username.lower()
    assert auth_plain(listener.secure(), username, "wrong") == REFUSED
    assert auth_plain(listener.secure(), username, password_of(credential))[0] == 235


@rows(
    "message, code",
    P29=(f"From: <{SENDER}>\r\nSubject: a\x00b\r\n\r\nx\r\n".encode(), 550),
    P30=(f"From: <{SENDER}>\r\nFrom: <{SENDER}>\r\n\r\nx\r\n".encode(), 550),
    P30d=(f"From: <{SENDER}>\r\n\xff: x\r\n\r\nx\r\n".encode("latin-1"), 550),
    P30e=(b"From: <boss@evil.test>\r\n\r\nx\r\n", 553),
    P30f=(f"From: {'<' * 5000}{SENDER}\r\n\r\n".encode(), 550),
)  # fmt: skip
def test_bad_message_is_refused(listener, credential, message, code):
    before = listener.messages()
    assert submit(listener.login(credential), message)[0] == code
    assert listener.messages() == before


@rows(
    "message",
    P28=f"From: <{SENDER}>\r\nSubject: {'x' * 2000}\r\n\r\nx\r\n".encode(),
    P30b=b"\r\nx\r\n",
    P30c=f"From: <{SENDER}>\r\n\r\nx\n.\r\nMAIL FROM:<x@evil.test>\r\n".encode(),
)
def test_odd_message_is_mended_and_stays_one_message(listener, credential, message):
    before = listener.messages()
    assert submit(listener.login(credential), message)[0] == 250
    [stored] = [message for message in listener.messages() if message not in before]
    assert f"\r\nFrom: {SENDER}".encode() in stored.replace(b"<", b"") and b"\r\n.\r\n" not in stored
    assert max(map(len, stored.split(b"\r\n"))) <= 998


@row("P33")
def test_odd_ehlo_name_is_cleaned_everywhere(listener, credential):
    smtp = listener.login(credential)
    assert smtp.docmd("EHLO <script>alert(1)</script>")[0] == 250
    assert submit(smtp)[0] == 250
    assert b"<script>" not in b"".join(listener.messages())


def suspended(credential):
    credential.suspend(by=SYSTEM)


def deleted(credential):
    credential.remove(by=SYSTEM)


def of_no_authorized_domain(credential):
    Domain.objects.update(authorized_at=None)


@rows("spoil", P34=suspended, P34b=deleted, P34c=of_no_authorized_domain)
def test_refused_login_reveals_no_reason(listener, credential, spoil):
    login = credential.username, password_of(credential)
    make_credential(credential.domain)
    spoil(credential)
    answers, took = set(), {}
    for _ in range(5):
        for name, attempt in (("unknown", ("0" * 32, login[1])), ("spoiled", login)):
            smtp = listener.secure()
            start = time.monotonic()
            answers.add(auth_plain(smtp, *attempt))
            took.setdefault(name, []).append(time.monotonic() - start)
            smtp.close()
    assert answers == {REFUSED}
    assert abs(median(took["unknown"]) - median(took["spoiled"])) < 0.05
