"""The header From and Sender of a message, judged after DATA."""

import time

import pytest

from submission.policy.sender import Refusal, judge_message
from tests.submission.clients import submit

pytestmark = pytest.mark.one_database

OWN = [
    "info@sl.example.com",
    "<info@sl.example.com>",
    "Info <info@sl.example.com>",
    '"Info, Desk" <info@SL.example.com>',
    "John Q. Public <info@sl.example.com>",
    "info@sl.example.com (Cron Daemon)",
    "(a) Info (b) <info@sl.example.com> (c)",
    "=?utf-8?q?J=C3=B6rg?= <info@sl.example.com>",
    "=?utf-8?b?SsO2cmc=?= =?utf-8?q?M?= <info@sl.example.com>",
    "Jörg <info@sl.example.com>",
    "Info\r\n <info@sl.example.com>",
    '"boss@evil.com" <info@sl.example.com>',
    '"a \\" b" <info@sl.example.com>',
    "a@sl.example.com, B <b@sl.example.com>",
]
FOREIGN = [
    "info@evil.com",
    "Info <info@evil.com>",
    "info@sub.sl.example.com",
    "info@example.com",
    "info@sl.example.com.evil.com",
    '"info@sl.example.com" <x@evil.com>',
    "info@sl.example.com <x@evil.com>",
    "=?utf-8?q?info=40sl.example.com?= <x@evil.com>",
    "a@sl.example.com, b@evil.com",
    "b@evil.com, a@sl.example.com",
    "(info@sl.example.com) x@evil.com",
    "x@sl.exаmple.com",
]
BROKEN = [
    "",
    "Info",
    "<>",
    "Info <>",
    "Info <info>",
    "info@",
    "info@[127.0.0.1]",
    "Group: info@sl.example.com;",
    "Undisclosed:;",
    "<@evil.com:info@sl.example.com>",
    "<@sl.example.com:x@evil.com>",
    '"x@evil.com"@sl.example.com',
    '"info@sl.example.com"@evil.com',
    "<x@evil.com> <info@sl.example.com>",
    "Info <info@sl.example.com> <x@evil.com>",
    "Info <info@sl.example.com> x@evil.com",
    "<info@sl.example.com>, Foo",
    "info@sl.example.com,",
    ",info@sl.example.com",
    "a@sl.example.com,,b@sl.example.com",
    "a@sl.example.com b@evil.com",
    "a@sl.example.com; b@evil.com",
    "info @ sl.example.com",
    "info@sl. example.com",
    "info@sl(.evil).example.com",
    "x@evil.com(<info@sl.example.com>",
    "(nested (comment)) info@sl.example.com",
    "=?utf-8?q?x=40evil.com?=@sl.example.com",
    "info@=?utf-8?q?sl.example.com?=",
    "=?utf-8?q?info=40sl.example.com?=",
    '"Info <info@sl.example.com>',
    "Info <info@sl.example.com",
    "Info info@sl.example.com>",
    "a" * 70 + "@sl.example.com",
    "\x01 <info@sl.example.com>",
]


def message(*header, body="Body\r\n"):
    return "".join(f"{line}\r\n" for line in header).encode() + b"\r\n" + body.encode()


def judge(*header):
    return judge_message(message(*header), "sl.example.com")


@pytest.mark.parametrize("value", OWN)
def test_header_addresses_of_the_own_domain_are_accepted(value):
    assert judge("Subject: x", f"From: {value}", "To: a@b.example") is None


@pytest.mark.parametrize("value", FOREIGN)
def test_header_addresses_of_another_domain_are_refused(value):
    assert judge(f"From: {value}") in (Refusal.FOREIGN_HEADER, Refusal.BAD_ADDRESSES)


@pytest.mark.parametrize("value", BROKEN)
def test_ambiguous_from_is_refused(value):
    assert judge(f"From: {value}") is Refusal.BAD_ADDRESSES


@pytest.mark.parametrize(
    "header",
    [
        (),
        ("Subject: no sender",),
        ("Sender: info@sl.example.com",),
        ("From: info@sl.example.com", "From: info@sl.example.com"),
        ("From: info@sl.example.com", "Subject: x", "FROM: x@evil.com"),
        ("X-From: info@sl.example.com",),
        ("Subject: x\r\n From: info@sl.example.com",),
    ],
)
def test_message_must_have_exactly_one_from(header):
    assert judge(*header) is Refusal.NO_SINGLE_FROM


@pytest.mark.parametrize(
    "header",
    [
        ("From: info@sl.example.com", "rubbish", "From: x@evil.com"),
        ("From: info@sl.example.com", "From : x@evil.com"),
        ("From: info@sl.example.com", "\tx", " ", "From: x@evil.com"),
        (" folded: first", "From: info@sl.example.com"),
        ("From info@sl.example.com Mon Jan 1", "From: info@sl.example.com"),
        ("From: info@sl.example.com", ": no name"),
        ("Fr\u00f6m: x", "From: info@sl.example.com"),
    ],
)
def test_header_line_that_is_no_field_is_refused(header):
    assert judge(*header) is Refusal.BAD_HEADER


def test_from_in_the_body_is_ignored():
    assert (
        judge_message(message("From: info@sl.example.com", body="From: x@evil.com\r\n"), "sl.example.com")
        is None
    )


@pytest.mark.parametrize(
    ("sender", "refusal"),
    [
        ("Sender: b@sl.example.com", None),
        ("Sender: b@evil.com", Refusal.FOREIGN_HEADER),
        ("Sender: b@sl.example.com, c@sl.example.com", Refusal.BAD_SENDER_FIELD),
        ("Sender: b@sl.example.com\r\nSender: b@sl.example.com", Refusal.BAD_SENDER_FIELD),
        ("Sender: ", Refusal.BAD_ADDRESSES),
        ("Sender: x@evil.com <b@sl.example.com>", Refusal.OTHER_ADDRESS),
        ("Sender: B\u202e <b@sl.example.com>", Refusal.HIDDEN_TEXT),
        ("Resent-From: b@sl.example.com\r\nResent-Sender: c@sl.example.com", None),
        ("Resent-From: b@sl.example.com\r\nResent-From: c@sl.example.com", None),
        ("Resent-From: b@evil.com", Refusal.FOREIGN_HEADER),
        ("Resent-Sender: b@evil.com", Refusal.FOREIGN_HEADER),
        ("Resent-Sender: b@sl.example.com, c@sl.example.com", Refusal.BAD_SENDER_FIELD),
        ("Resent-From: (<x@evil.com>) b@sl.example.com", Refusal.OTHER_ADDRESS),
        ("\r\n".join(["Resent-From: b@sl.example.com"] * 30), Refusal.BAD_SENDER_FIELD),
        ("Reply-To: Ann <ann@gmail.example>, (<x@evil.com>) y@evil.com", None),
    ],
)
def test_sender_field_must_have_the_own_domain(sender, refusal):
    assert judge("From: info@sl.example.com", sender) is refusal


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        (b"J\xf6rg <info@sl.example.com>", None),
        (b"Bob\x92s Shop <info@sl.example.com>", None),
        (b'"\x83V\x83\x87\x83b\x83v" <info@sl.example.com>', None),
        (b"J\xf6rg <inf\xf6@sl.example.com>", Refusal.BAD_ADDRESSES),
        (b"J\xf6rg <info@sl.ex\xe4mple.com>", Refusal.BAD_ADDRESSES),
        (b'"\x81\\" <x@evil.com> \x81\\"" <info@sl.example.com>', Refusal.OTHER_ADDRESS),
    ],
)
def test_display_name_may_have_any_charset_but_address_may_not(value, refusal):
    assert judge_message(b"From: " + value + b"\r\n\r\n", "sl.example.com") is refusal


@pytest.mark.parametrize(
    "value",
    [
        "(" * 3000,
        "<" * 3000,
        '"' * 3001,
        "a," * 1900,
        "a@b.c <" * 500,
        "=?utf-8?q?" * 300,
        "a." * 1900,
        "\\" * 3000,
    ],
)
def test_hostile_headers_are_judged_in_linear_time(value):
    folded = "\r\n ".join(value[start : start + 900] for start in range(0, len(value), 900))
    start = time.process_time()
    assert judge(f"From: {folded}") is not None
    assert time.process_time() - start < 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("header", "code"),
    [
        (b"From: info@sl.example.com\r\n", 250),
        (b"From: x@evil.com\r\n", 553),
        (b"From: info@sl.example.com\r\nSender: x@evil.com\r\n", 553),
        (b"Subject: no From\r\n", 250),
        (b"From: info@sl.example.com\r\nFrom: info@sl.example.com\r\n", 550),
        (b"From: info@sl.example.com\r\nX: a\0b\r\n", 550),
        (b"From: info@sl.example.com\r\nX: " + b"a" * 2000 + b"\r\n", 250),
        (b"From: info@sl.example.com\r\nX: " + b"a" * 300_000 + b"\r\n", 550),
        (b"From: Group: info@sl.example.com;\r\n", 550),
    ],
)
def test_listener_refuses_foreign_headers_and_stores_nothing(smtp, outbox, header, code):
    reply = submit(smtp, header + b"\r\nBody\r\n")
    assert reply[0] == code
    assert code == 250 or b"5.7.1" in reply[1]
    assert len(outbox()) == (code == 250)
    assert submit(smtp)[0] == 250  # the session goes on
