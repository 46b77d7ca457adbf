"""What the listener mends in a message: line ends, long lines, missing fields. Postfix mends the same."""

import email
import re
from email import policy

import pytest

from submission.listener.normal_form import MAX_LINE, break_line, mend_header, normalize
from submission.policy.sender import judge_message
from tests.submission.clients import MESSAGE, SENDER, submit

pytestmark = pytest.mark.one_database

database = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("lines", "normal"),
    [
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\nb\r\n", b"a\r\nb\r\n"),
        (b"a\r\r\nb\r\r\r\n", b"a\r\nb\r\n"),
        (b"a\rb\r\n", b"a b\r\n"),
        (b"\n\n\r\n", b"\r\n\r\n\r\n"),
        (b"a\n\rb\n", b"a\r\n b\r\n"),
        (b"x" * 998 + b"\r\n", b"x" * 998 + b"\r\n"),
        (b"x" * 999 + b"\n", b"x" * 998 + b"\r\n x\r\n"),
        (
            b"a\n" + b"x" * 2000 + b"\r\nb\n",
            b"a\r\n" + b"x" * 998 + b"\r\n " + b"x" * 997 + b"\r\n xxxxx\r\nb\r\n",
        ),
    ],
)
def test_lines_end_with_crlf_and_have_998_octets(lines, normal):
    assert normalize(lines) == normal


@pytest.mark.parametrize(
    "unit", [b"word ", b"word\t", b"a@example.org,", b"x", "ü".encode(), b" ", b",", "€ ".encode()]
)
@pytest.mark.parametrize("length", [990, 999, 1996, 30_000])
def test_long_line_is_broken_into_lines_that_say_the_same(unit, length):
    line = b"To: " + unit * (length // len(unit) + 1)
    pieces = break_line(line)
    assert all(0 < len(piece) <= MAX_LINE for piece in pieces)
    assert len(pieces) <= len(line) // (MAX_LINE // 2) + 1
    assert all(piece.startswith((b" ", b"\t")) for piece in pieces[1:])
    if b" " in unit or b"\t" in unit:
        assert b"".join(pieces) == line  # folded, RFC 5322 section 2.2.3
    else:
        assert b"".join([pieces[0], *(piece[1:] for piece in pieces[1:])]) == line
    b"\n".join(pieces).decode()  # no character is cut


def mended(content: bytes, sender=SENDER) -> bytes:
    held = bytearray(content)
    mend_header(held, sender)
    return bytes(held)


FROM = b"From: info@sl.example.com\r\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (FROM + b"\r\nBody\r\n", FROM + b"\r\nBody\r\n"),
        (FROM + b"Subject: a\r\n \r\n\r\nBody\r\n \r\n", FROM + b"Subject: a\r\n\r\nBody\r\n \r\n"),
        (FROM + b"Subject: a\r\n \t\r\n\t\r\n b\r\nTo: x\r\n\r\n", FROM + b"Subject: a\r\n b\r\nTo: x\r\n\r\n"),
        (FROM + b"Subject:\r\n \r\n", FROM + b"Subject:\r\n"),
        (b"Subject: a\r\n\r\nFrom: body\r\n", FROM + b"Subject: a\r\n\r\nFrom: body\r\n"),
        (b"Subject: a\r\n From: b\r\n\r\n", FROM + b"Subject: a\r\n From: b\r\n\r\n"),
        (b"X-From: a\r\n", FROM + b"X-From: a\r\n"),
        (b"Subject: a\r\nfRoM : b\r\n\r\n", b"Subject: a\r\nfRoM : b\r\n\r\n"),
        (b"From : x@evil.com\r\n\r\n", FROM + b"\r\n"),
        (b"Resent-To: a@b.example\r\n\r\n", b"Resent-To: a@b.example\r\n\r\n"),
        (b"\r\nBody\r\n", FROM + b"\r\nBody\r\n"),
        (b"", FROM),
        (b"From info Mon Nov 30 12:00:00 2026\r\n" + FROM + b"\r\n", FROM + b"\r\n"),
        (b">From x\r\nSubject: a\r\n\r\n", FROM + b"Subject: a\r\n\r\n"),
        (FROM + b"\r\n\r\nFrom x\r\n", FROM + b"\r\n\r\nFrom x\r\n"),
    ],
)
def test_header_is_mended_and_body_kept(content, expected):
    assert mended(content) == expected


def test_null_sender_is_no_from():
    assert mended(b"Subject: a\r\n\r\n", "") == b"Subject: a\r\n\r\n"


@pytest.mark.parametrize(
    "content",
    [
        FROM + b"X: a\n\n" + b"From: x@evil.com\r\n\r\n",
        FROM + b"Subject: a\nFrom: x@evil.com\r\n\r\n",
        FROM + b"Subject: a\r\n \r\nFrom: x@evil.com\r\n\r\n",
        FROM + b"Subject: a\r\n" + b" " * 2000 + b"\nFrom: x@evil.com\r\n\r\n",
        b"Subject: " + b"a" * 2000 + b"\nFrom: x@evil.com\r\n\r\n",
        b"From: info@sl.example.com" + b" " * 2000 + b"<x@evil.com>\r\n\r\n",
        b"From: info@sl.example.com\r, x@evil.com\r\n\r\n",
        b"From x@evil.com\nFrom: x@evil.com\n\n",
    ],
)
def test_mended_message_is_judged_as_the_next_hop_reads_it(content):
    held = bytearray(normalize(content))
    mend_header(held, SENDER)
    parsed = email.message_from_bytes(bytes(held), policy=policy.SMTP)
    seen = " ".join(parsed.get_all("From"))
    assert judge_message(held, "sl.example.com") is not None or "evil" not in seen


def unfolded(message: bytes) -> bytes:
    return re.sub(rb"\r\n(?=[ \t])", b"", message)


@database
def test_unfolded_list_of_recipients_is_folded(smtp, outbox):
    to = "To: " + ", ".join(f"Person {number} <person.number.{number}@example.org>" for number in range(45))
    assert len(to) > MAX_LINE
    assert submit(smtp, to.encode() + b"\r\n" + MESSAGE)[0] == 250
    [message] = outbox()
    assert max(map(len, message.split(b"\r\n"))) <= MAX_LINE
    assert to.encode() + b"\r\n" in unfolded(message)
    assert len(email.message_from_bytes(message, policy=policy.SMTP)["To"].addresses) == 45


@database
@pytest.mark.parametrize("size", [999, 5000, 300_000])
def test_long_lines_of_a_body_are_broken(smtp, outbox, size):
    text = ("<p>Grüße</p> " * size)[:size].encode() + b"!"
    assert submit(smtp, MESSAGE + text + b"\r\n..end\r\n")[0] == 250
    [message] = outbox()
    assert max(map(len, message.split(b"\r\n"))) <= MAX_LINE
    assert unfolded(message).endswith(b"Body\r\n" + text + b"\r\n.end\r\n")
    assert submit(smtp)[0] == 250


@database
def test_message_with_bare_line_feeds_is_accepted(smtp, outbox):
    assert submit(smtp, MESSAGE.replace(b"\r\n", b"\n") + b"..a\n.\nb\r\n")[0] == 250
    assert outbox()[0].endswith(MESSAGE.partition(b"\r\n\r\n")[2] + b".a\r\n\r\nb\r\n")


@database
def test_missing_from_date_and_message_id_are_added(smtp, outbox):
    assert submit(smtp, b"Subject: Scan\r\n\r\nBody\r\n")[0] == 250
    [message] = map(email.message_from_bytes, outbox())
    assert message["From"] == SENDER
    assert message["Date"] and message["Message-ID"].endswith("@sl.example.com>")
