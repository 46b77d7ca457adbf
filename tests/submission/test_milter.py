"""`manage.py milter`, asked by a mail server of the test's own: the milter protocol, version 6."""

import socket
import struct
from contextlib import closing, suppress

import pytest

from submission.listener import replies
from submission.policy.sender import Refusal
from tests.mail.milters import OFFER, MilterClient, judging
from tests.submission.clients import wait_until
from tests.submission.from_headers import OTHER, OWN

pytestmark = pytest.mark.django_db(transaction=True)

CONTINUE, ACCEPT = (b"c", b""), (b"a", b"")


@pytest.fixture(scope="module")
def milter(django_db_setup, tmp_path_factory):
    with judging(tmp_path_factory.mktemp("milter") / "log") as running:
        yield running


@pytest.fixture
def server(milter):
    with closing(MilterClient(milter.port)) as server:
        assert server.ask((b"O", OFFER))[0] == b"O"
        yield server


def reply(refusal_or_text):
    text = replies.MESSAGE_REPLIES.get(refusal_or_text, refusal_or_text)
    return b"y", text.encode() + b"\0"


OWN_FROM, OTHER_FROM = (b"From", OWN.encode()), (b"From", OTHER.encode())


def test_only_headers_are_asked_for_and_the_macros_to_judge_them_by(milter):
    with closing(MilterClient(milter.port)) as server:
        command, answer = server.ask((b"O", OFFER))
    version, actions, steps = struct.unpack("!LLL", answer[:12])
    assert (command, version, actions) == (b"O", 6, 0x100)
    assert steps == 0x1 | 0x2 | 0x8 | 0x10 | 0x100 | 0x4000 | 0x80
    assert answer[12:] == b"\0\0\0\x02{auth_authen} {mail_addr}\0\0\0\0\x06i\0"


def test_each_message_of_a_session_is_judged_on_its_own(server):
    assert server.judge(OWN_FROM) == ACCEPT
    assert server.judge(OTHER_FROM) == reply(Refusal.FOREIGN_HEADER)
    assert server.judge((b"from", b"Shop\n <%b>" % OWN.encode()), (b"Subject", b"\xff")) == ACCEPT
    assert server.judge(OWN_FROM, (b"SENDER", OTHER.encode())) == reply(Refusal.FOREIGN_HEADER)
    assert server.judge() == reply(Refusal.NO_SINGLE_FROM)
    # The listener drops a blank line, at which some programs end the header; Postfix hands it on.
    two_parts = b'"%b"\n \n <%b>' % (OTHER.encode(), OWN.encode())
    assert server.judge((b"From", two_parts)) == reply(Refusal.BAD_HEADER)
    assert server.judge((b"From", b"info@m\xc3\xbcller.de"), sender="info@xn--mller-kva.de") == ACCEPT
    assert server.judge(OWN_FROM, *[(b"Resent-From", OWN.encode())] * 3000) == reply(Refusal.BAD_SENDER_FIELD)
    assert server.judge(OWN_FROM, *[(b"X-Long", b"x" * 60_000)] * 20) == ACCEPT


def test_aborted_message_leaves_nothing_behind(server):
    macros = b"M{auth_authen}\0" + b"A" * 32 + b".1\0{mail_addr}\0" + OTHER.encode() + b"\0"
    for end in (b"A", b"K"):
        server.send((b"D", macros), (b"M", b"<x>\0"), (b"L", b"From\0" + OTHER.encode() + b"\0"), (end, b""))
        assert server.judge(OWN_FROM) == ACCEPT


def test_events_that_say_nothing_of_the_sender_pass(server):
    for command in (b"C", b"H", b"R", b"T", b"U", b"B"):
        assert server.ask((command, b"x\0")) == CONTINUE
    server.send((b"Q", b""))
    assert server.answer() is None


def test_what_cannot_be_judged_is_refused_for_now(server, milter):
    assert server.ask((b"N", b"")) == reply(replies.INTERNAL_ERROR)
    assert server.judge(OWN_FROM, username="") == reply(replies.INTERNAL_ERROR)
    assert server.ask((b"M", b"<x>\0"), (b"L", b"From\0x\0"), (b"E", b"")) == reply(replies.INTERNAL_ERROR)
    assert server.judge(OWN_FROM, sender="info@") == reply(Refusal.FOREIGN_SENDER)
    assert wait_until(lambda: "without a login" in milter.log.read_text())


def test_null_sender_is_judged_by_the_domain_of_the_credential(server, credential):
    def judge(*fields, username=f"{credential.username}.1"):
        return server.judge(*fields, username=username, sender="")

    assert judge(OWN_FROM) == ACCEPT
    assert judge(OTHER_FROM) == reply(Refusal.FOREIGN_HEADER)
    assert judge((b"From", b"MAILER-DAEMON")) == reply(Refusal.BAD_ADDRESSES)
    for username in (f"{credential.username}.2", credential.username, "A" * 32 + ".1", "x\n.1", "\xff"):
        assert judge(OWN_FROM, username=username) == reply(replies.NO_LONGER_VALID)


@pytest.mark.one_database
def test_only_the_null_sender_needs_the_database(tmp_path, stack):
    milter = stack.enter_context(judging(tmp_path / "log", DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/db"))
    server = stack.enter_context(closing(MilterClient(milter.port)))
    server.ask((b"O", OFFER))
    assert server.judge(OWN_FROM, sender="") == reply(replies.INTERNAL_ERROR)
    assert server.judge(OWN_FROM) == ACCEPT
    assert "cause=unavailable reply=451 4.3.0" in milter.log.read_text()


@pytest.mark.one_database
@pytest.mark.parametrize(
    "sent",
    [
        struct.pack("!L", 0),
        struct.pack("!L", 2**31) + b"N",
        struct.pack("!L", 1) + b"?",
        b"EHLO client.example\r\n",
        struct.pack("!L", 6) + b"Lx\0y\0\0",
        struct.pack("!L", 3) + b"M\0\0" + struct.pack("!L", 2) + b"Lx",
        struct.pack("!L", 5) + b"O" + OFFER[:4],
        struct.pack("!L", 13) + b"O" + struct.pack("!LLL", 2, 0x1FF, 0x1FFFFF),
        struct.pack("!L", 13) + b"O" + struct.pack("!LLL", 6, 0x1FF, 0x7F),
        struct.pack("!L", 13) + b"O" + struct.pack("!LLL", 6, 0xFF, 0x1FFFFF),
    ],
)
def test_what_is_not_the_protocol_ends_the_connection(milter, sent):
    with closing(socket.create_connection(("127.0.0.1", milter.port), timeout=20)) as client:
        client.sendall(sent)
        with suppress(ConnectionResetError):
            assert client.recv(100) == b""
