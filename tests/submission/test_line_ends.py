"""Only CRLF ends a line and only CRLF.CRLF a message, however packets split them."""

import time

import pytest

from submission.listener import replies
from submission.listener.limits import QUIET_SECONDS
from tests.factories import password_of
from tests.input.speaking import judge_log, judge_replies
from tests.submission.clients import MESSAGE, RECIPIENT, SENDER, bare, closed, encoded, submit

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

MAIL = f"MAIL FROM:<{SENDER}>".encode()
TO_DATA = [f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{RECIPIENT}>", "DATA"]
SMUGGLED = b"MAIL FROM:<x@evil.com>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nFrom: x@evil.com\r\n\r\nx\r\n.\r\n"
AT_ONCE = 20  # seconds, on a busy machine; an idle client waits for 60


def said_until_closed(sock) -> bytes:
    said = b""
    while chunk := sock.recv(65_536):
        said += chunk
    return said


def begin(smtp):
    """Go on to the point where the message starts."""
    for command in TO_DATA:
        assert smtp.docmd(command)[0] < 400


@pytest.mark.parametrize(
    "line",
    [
        b"NOOP\n" + MAIL + b"\r\n",
        b"NOOP x\n" + MAIL + b"\r\n",
        b"NOOP\n\r\n",
        b"\n" + MAIL + b"\r\n",
        b"NOOP\n\r" + MAIL + b"\r\n",
        b"NOOP " + b"x" * 2000 + b"\n" + MAIL + b"\r\n",
        b"EHLO " + b"x" * 997 + b"\n" + MAIL + b"\r\n",
    ],
)
def test_bare_lf_starts_no_second_command(smtp, line):
    start = time.monotonic()
    smtp.sock.sendall(line + b"RCPT TO:<a@example.org>\r\nNOOP\r\n")
    assert said_until_closed(smtp.sock) == replies.BARE_LF.encode() + b"\r\n"
    assert time.monotonic() - start < AT_ONCE


def test_bare_lf_at_the_end_of_a_packet_starts_no_second_command(smtp):
    smtp.sock.sendall(b"NOOP\n")
    assert smtp.getreply() == (500, replies.BARE_LF[4:].encode())
    with pytest.raises(OSError):  # noqa: PT012
        smtp.sock.sendall(MAIL + b"\r\n")
        assert said_until_closed(smtp.sock) == b""
        raise OSError


@pytest.mark.parametrize(
    "line", [b"NOOP\r" + MAIL, b"NOOP\r", b"\rNOOP", b"RSET\r\rNOOP", b"VRFY a\rb", b"NONSENSE\r" + b"x" * 900]
)
def test_command_with_bare_cr_is_refused_and_session_continues(smtp, line):
    smtp.sock.sendall(line + b"\r\nNOOP\r\n")
    assert smtp.getreply() == (500, replies.BARE_CR[4:].encode())
    assert smtp.getreply()[0] == 250
    assert submit(smtp)[0] == 250


@pytest.mark.parametrize(
    "session", [b"EHLO x\nQUIT\n", b"STARTTLS\nNOOP\r\n", b"QUIT\n", b"GET / HTTP/1.0\n\n"]
)
def test_client_that_ends_lines_with_lf_is_refused_at_once(listener, session):
    with bare(listener.port) as sock:
        assert sock.recv(1000).startswith(b"220")
        start = time.monotonic()
        sock.sendall(session)
        assert said_until_closed(sock) == replies.BARE_LF.encode() + b"\r\n"
        assert time.monotonic() - start < AT_ONCE


@pytest.mark.parametrize("end", [b"\n", b"\n\r\n"])
def test_login_with_bare_lf_is_refused(secure, credential, end):
    response = encoded("", credential.username, password_of(credential)).encode()
    assert secure.docmd("AUTH PLAIN")[0] == 334
    secure.sock.sendall(response + end)
    assert secure.getreply() == (500, replies.BARE_LF[4:].encode())
    assert closed(secure)


def test_login_with_bare_cr_is_refused(secure, credential):
    response = encoded("", credential.username, password_of(credential)).encode()
    assert secure.docmd("AUTH PLAIN")[0] == 334
    secure.sock.sendall(response + b"\r\r\n")
    assert secure.getreply() == (500, replies.BARE_CR[4:].encode())
    assert secure.docmd(MAIL.decode())[0] == 450


@pytest.mark.parametrize("cut", range(1, len(MAIL) + 2))
def test_command_in_two_packets_is_accepted(smtp, cut):
    line = MAIL + b"\r\n"
    smtp.sock.sendall(line[:cut])
    time.sleep(0.01)
    smtp.sock.sendall(line[cut:])
    assert smtp.getreply()[0] == 250


@pytest.mark.parametrize("length", [998, 999, 1000, 1001, 1002, 1003, 2004, 3006])
def test_line_of_any_length_is_one_command(smtp, length):
    smtp.sock.sendall(b"NOOP ".ljust(length, b"x") + b"\r\n" + b"NOOP\r\n")
    assert smtp.getreply()[0] == (250 if length == 998 else 500)
    assert smtp.getreply()[0] == 250


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n", b"\r.\n"])
def test_mistaken_end_of_message_is_refused_and_hides_no_command(smtp, outbox, end):
    begin(smtp)
    smtp.sock.sendall(MESSAGE.removesuffix(b"\r\n") + end)
    start = time.monotonic()
    assert smtp.getreply() == (550, replies.BARE_NEWLINE[4:].encode())
    assert QUIET_SECONDS / 2 < time.monotonic() - start < AT_ONCE
    with pytest.raises(OSError):  # noqa: PT012
        smtp.sock.sendall(SMUGGLED)
        assert said_until_closed(smtp.sock) == b""
        raise OSError
    assert outbox() == []


def test_message_that_continues_after_a_mistaken_end_is_one_message(smtp, outbox):
    begin(smtp)
    smtp.sock.sendall(MESSAGE + b"a\n.\n")
    time.sleep(QUIET_SECONDS / 4)
    smtp.sock.sendall(SMUGGLED)
    assert smtp.getreply()[0] == 250
    assert smtp.noop()[0] == 250
    [message] = outbox()
    assert message.endswith(b"a\r\n\r\n" + SMUGGLED.removesuffix(b".\r\n"))


def test_slow_client_may_pause_after_a_bare_lf(smtp, outbox):
    begin(smtp)
    smtp.sock.sendall(MESSAGE + b"a\n.\nb\n")
    time.sleep(QUIET_SECONDS + 1)
    smtp.sock.sendall(b".\r\nc\r\n.\r\n")
    assert smtp.getreply()[0] == 250
    assert outbox()[0].endswith(b"a\r\n\r\nb\r\n\r\nc\r\n")


def test_slow_end_of_message_is_accepted(smtp, outbox):
    begin(smtp)
    smtp.sock.sendall(MESSAGE + b"a.\r\n.\r")
    time.sleep(QUIET_SECONDS + 1)
    smtp.sock.sendall(b"\n")
    assert smtp.getreply()[0] == 250
    assert outbox()[0].endswith(b"\r\na.\r\n")


def test_refused_line_and_message_are_logged_with_their_cause(listener, smtp):
    begin(smtp)
    smtp.sock.sendall(MESSAGE + b"a\n.\n")
    smtp.getreply()
    assert "cause=bare_newline reply=550 5.7.1" in listener.log.read_text()
    with bare(listener.port) as sock:
        sock.recv(1000)
        sock.sendall(b"QUIT\n")
        judge_replies(said_until_closed(sock))
    assert "outcome=bare_lf" in listener.log.read_text()
    judge_log(listener.log)
