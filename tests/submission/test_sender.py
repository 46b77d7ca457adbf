"""MAIL FROM: a credential sends for its own domain only."""

import pytest

from submission.policy.addresses import BadAddress, parse_mailbox
from submission.policy.sender import Refusal, judge_sender
from tests.factories import make_credential, make_domain
from tests.submission.clients import submit

OWN = [
    "info@sl.example.com",
    "Info@SL.Example.COM",
    "a.b+tag@sl.example.com",
    "!#$%&'*+-/=?^_`{|}~@sl.example.com",
]
FOREIGN = [
    "info",
    "info@",
    "@sl.example.com",
    "info@example.com",
    "info@other.com",
    "info@sub.sl.example.com",
    "info@evilsl.example.com",
    "info@sl.example.com.evil.com",
    "info@sl.example.com.",
    "info@.sl.example.com",
    "info@sl..example.com",
    "info@sl-example.com",
    "info@s1.example.com",
    "info@[127.0.0.1]",
    "info@[IPv6:::1]",
    "info@127.0.0.1",
    "info@localhost",
    '"x@sl.example.com"@evil.com',
    '"x"@sl.example.com',
    '"x@evil.com> "@sl.example.com',
    "x@evil.com@sl.example.com",
    "x@sl.example.com@evil.com",
    "@sl.example.com:x@evil.com",
    "@evil.com:x@sl.example.com",
    "evil.com!x@sl.example.com@evil.com",
    "x y@sl.example.com",
    "x@sl.example.com evil.com",
    "x.@sl.example.com",
    ".x@sl.example.com",
    "x..y@sl.example.com",
    "x\x00@sl.example.com",
    "x@sl.example.com\x00",
    "x@sl.example.com\x00.evil.com",
    "x\x01@sl.example.com",
    "x\x7f@sl.example.com",
    "x@sl.example.com\t",
    "x(comment)@sl.example.com",
    "x@sl.example.com(comment)",
    "x@sl.exаmple.com",  # Cyrillic a
    "x@ｓｌ.example.com",  # full width
    "x@sl。example。com",  # ideographic full stops
    "x@sl\u200b.example.com",
    "x@sl\u00ad.example.com",
    "\u202ex@sl.example.com",
    "x\u00a0@sl.example.com",
    "a" * 65 + "@sl.example.com",
    "x@" + "a" * 64 + ".sl.example.com",
    "=?utf-8?q?x?=@=?utf-8?q?sl.example.com?=",
]


@pytest.mark.parametrize("address", OWN)
def test_sender_of_the_own_domain_is_accepted(address):
    assert judge_sender(address, "sl.example.com") is None


@pytest.mark.parametrize("address", FOREIGN)
def test_sender_of_any_other_domain_is_refused(address):
    assert judge_sender(address, "sl.example.com") is Refusal.FOREIGN_SENDER


@pytest.mark.parametrize(
    "domain", ["münchen.de", "MÜNCHEN.de", "mu\u0308nchen.de", "xn--mnchen-3ya.de", "XN--Mnchen-3YA.DE"]
)
def test_u_label_and_a_label_are_the_same_domain(domain):
    assert judge_sender(f"info@{domain}", "xn--mnchen-3ya.de") is None


@pytest.mark.parametrize(
    ("address", "domain"),
    [("x@faß.de", "fass.de"), ("x@fass.de", "xn--fa-hia.de"), ("x@munchen.de", "xn--mnchen-3ya.de")],
)
def test_homograph_domains_are_different(address, domain):
    assert judge_sender(address, domain) is Refusal.FOREIGN_SENDER


def test_parsed_address_has_the_a_label():
    assert str(parse_mailbox("Jörg@MÜNCHEN.de")) == "Jörg@xn--mnchen-3ya.de"


@pytest.mark.parametrize(
    "text", ["x@y", "x@1.2.3.4 ", "x@-a.com", "x@a-.com", "x@a_b.com", '"a\x01"@b.com', '"a@b.com']
)
def test_invalid_address_is_refused(text):
    with pytest.raises(BadAddress):
        parse_mailbox(text)


@pytest.mark.django_db(transaction=True)
def test_listener_refuses_foreign_senders(listener, credential):
    smtp = listener.login(credential)
    for address, code in {
        "x@example.com": 553,
        "x@sub.sl.example.com": 553,
        '"x@sl.example.com"@evil.com': 553,
        "x@[127.0.0.1]": 501,
        "a@b@c": 501,
    }.items():
        assert (address, smtp.docmd(f"MAIL FROM:<{address}>")[0]) == (address, code)
        assert smtp.docmd("RCPT TO:<a@example.org>")[0] == 503
    assert smtp.docmd("MAIL FROM:<info@sl.example.com>")[0] == 250


@pytest.mark.django_db(transaction=True)
def test_foreign_sender_gets_553_5_7_1(smtp):
    assert smtp.docmd("MAIL FROM:<x@evil.example>") == (
        553,
        b"5.7.1 Sender address not allowed for this SMTP user",
    )
    smtp.sock.sendall(b"MAIL FROM:<x@sl.example.com\x00>\r\n")
    assert smtp.getreply() == (501, b"5.1.7 Sender address not valid")


BOUNCE = "From: MAILER-DAEMON@{} (Mail Delivery System)\r\nTo: info@sl.example.com\r\n\r\nReturned\r\n"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("from_domain", "code"), [("sl.example.com", 250), ("mail.sl.example.com", 553), ("evil.example", 553)]
)
def test_bounce_with_null_sender_needs_a_from_of_the_domain(listener, credential, outbox, from_domain, code):
    smtp = listener.login(credential)
    assert submit(smtp, BOUNCE.format(from_domain).encode(), sender="")[0] == code
    assert [message.startswith(b"Return-Path: <>\r\n") for message in outbox()] == [True] * (code == 250)
    assert submit(smtp, b"To: info@sl.example.com\r\n\r\nNo From\r\n", sender="")[0] == 550
    assert submit(smtp)[0] == 250


@pytest.mark.django_db(transaction=True)
def test_credential_cannot_send_for_another_domain_of_its_owner(listener, credential):
    other = make_credential(make_domain("other.example.com"))
    assert submit(listener.login(other), sender="info@sl.example.com")[0] == 553
    assert listener.login(other).docmd("MAIL FROM:<info@other.example.com>")[0] == 250


@pytest.mark.django_db(transaction=True)
def test_u_label_sender_is_stored_with_its_a_label(listener, outbox):
    smtp = listener.login(make_credential(make_domain("xn--mnchen-3ya.de")))
    smtp.command_encoding = "utf-8"
    message = "From: Jörg <jörg@münchen.de>\r\n\r\nHallo\r\n".encode()
    assert smtp.docmd("MAIL FROM:<jörg@münchen.de>")[0] == 553
    assert smtp.docmd("MAIL FROM:<jörg@münchen.de> SMTPUTF8")[0] == 250
    assert smtp.docmd("RCPT TO:<grüße@example.org>")[0] == 250
    assert smtp.docmd("DATA")[0] == 354
    smtp.sock.sendall(message + b".\r\n")
    assert smtp.getreply()[0] == 250
    assert outbox()[0].startswith("Return-Path: <jörg@xn--mnchen-3ya.de>\r\n".encode())
    assert b"with UTF8SMTPSA" in outbox()[0]
