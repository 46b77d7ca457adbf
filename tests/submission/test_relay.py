"""SMTP_RELAY_URL: 250 only after the next hop has accepted the message for all recipients."""

import asyncio
import re
import socket
import ssl
from contextlib import ExitStack

import pytest

from submission.delivery import relay
from submission.delivery.message import Message
from submission.delivery.next_hop import Deferred, Reason, Rejected
from submission.delivery.relay import BadURL, Relay
from submission.listener import tls
from submission.listener.limits import DELIVERY_SECONDS
from tests.factories import password_of
from tests.submission.clients import MESSAGE, RECIPIENT, SENDER, submit
from tests.submission.next_hop_server import SinkServer
from tests.submission.scripted_server import Scripted

pytestmark = pytest.mark.one_database

database = pytest.mark.django_db(transaction=True)

UNAVAILABLE = (451, b"4.3.0 Message not accepted now, try again later")


@pytest.fixture(scope="module")
def server():
    with SinkServer() as server:
        yield server


@pytest.fixture
def sink(server):
    server.sink.forget()
    return server.sink


@pytest.fixture(scope="module")
def relaying(start_listener, server):
    with start_listener(SMTP_RELAY_URL=server.url) as listener:
        yield listener


@database
def test_next_hop_gets_the_message(relaying, sink, credential):
    body = b"..two dots\r\n.one\r\n\r\nEnd\r\n".replace(b"\r\n.", b"\r\n..").replace(b"..two", b"...two")
    smtp = relaying.login(credential)
    assert submit(smtp, MESSAGE + body, recipients=[RECIPIENT, "other@example.org"])[0] == 250
    [(sender, recipients, content)] = sink.messages
    assert (sender, recipients) == (SENDER, [RECIPIENT, "other@example.org"])
    assert content.endswith(MESSAGE.partition(b"\r\n\r\n")[2] + b"..two dots\r\n.one\r\n\r\nEnd\r\n")
    assert content.startswith(
        b"Received: from client.example ([127.0.0.1])\r\n\tby smtp.sendlayer.net with ESMTPSA id "
    )
    assert credential.username.encode() not in content
    assert password_of(credential).encode() not in content
    assert not (relaying.var_dir / "outbox").exists()


@database
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 5.1.1 <no>\x1b[31m", (554, b"5.0.0 The next mail server refused the message with code 550")),
        ("554 no", (554, b"5.0.0 The next mail server refused the message with code 554")),
        ("451 later", UNAVAILABLE),
        ("421 bye", UNAVAILABLE),
        ("530 log in first", UNAVAILABLE),
    ],
)
@pytest.mark.parametrize("stage", ["mail", "data"])
def test_refusal_of_the_next_hop_is_passed_on(relaying, sink, credential, stage, reply, expected):
    setattr(sink, stage, reply)
    smtp = relaying.login(credential)
    assert submit(smtp) == expected
    setattr(sink, stage, None)
    assert submit(smtp)[0] == 250
    assert len(sink.messages) == 1


@database
@pytest.mark.parametrize(
    ("recipients", "expected"),
    [
        (["r550@example.org"], "554 5.1.0 refused <r550@example.org> with code 550"),
        ([RECIPIENT, "r550@example.org"], "554 5.1.0 refused <r550@example.org> with code 550"),
        ([RECIPIENT, "r450@example.org"], "451 4.1.0 deferred <r450@example.org> with code 450"),
        (["r450@a.example", "r550@b.example", RECIPIENT], "554 5.1.0 refused <r550@b.example> with code 550"),
        (
            [f"r550@{name}.example" for name in "abcde"],
            "refused <r550@a.example>, <r550@b.example>, <r550@c.example>, 2 more",
        ),
        (["r421@example.org", RECIPIENT], "451 4.3.0 Message not accepted now"),
        (["r530@example.org", RECIPIENT], "451 4.3.0 Message not accepted now"),
        (["r452@example.org", RECIPIENT], "451 4.1.0 deferred <r452@example.org> with code 452"),
    ],
)
def test_refused_recipient_is_named_and_nobody_gets_the_message(
    relaying, sink, credential, recipients, expected
):
    code, text = submit(relaying.login(credential), recipients=recipients)
    reply = f"{code} {text.decode()}"
    assert re.sub("Nobody got the message( yet)?: the next mail server ", "", reply).find(expected) >= 0, reply
    assert len(reply) < 510
    assert sink.messages == []


MANY = [f"user{number}@example.org" for number in range(7)]


@database
@pytest.mark.parametrize(
    "too_many", ["452 4.5.3 Too many", "452 no more", "552 no more", "451 4.5.3 One at a time"]
)
@pytest.mark.parametrize("limit", [1, 3, 6])
def test_next_hop_with_a_limit_of_recipients_gets_several_transactions(
    relaying, sink, credential, limit, too_many
):
    sink.limit, sink.too_many = limit, too_many
    assert submit(relaying.login(credential), recipients=MANY)[0] == 250
    groups = [recipients for _sender, recipients, _content in sink.messages]
    assert sum(groups, []) == MANY
    assert all(len(group) <= limit for group in groups)
    assert len({content for _sender, _recipients, content in sink.messages}) == 1


@database
def test_recipient_that_is_refused_in_a_later_transaction_stops_the_message_for_all(relaying, sink, credential):
    sink.limit = 3
    code, text = submit(relaying.login(credential), recipients=[*MANY, "r550@example.org"])
    assert code == 554 and b"<r550@example.org>" in text
    assert sink.messages == []


@database
def test_full_storage_of_the_next_hop_is_no_limit_of_recipients(relaying, sink, credential):
    sink.limit, sink.too_many = 3, "452 4.3.1 Insufficient storage"
    assert submit(relaying.login(credential), recipients=MANY)[0] == 451
    assert sink.messages == []


@database
def test_next_hop_that_ends_the_connection_after_each_message_gets_all_of_them(relaying, sink, credential):
    sink.limit, sink.a_connection = 3, 1
    assert submit(relaying.login(credential), recipients=MANY)[0] == 250
    assert sum((recipients for _sender, recipients, _content in sink.messages), []) == MANY


@database
def test_reply_names_those_whom_only_a_later_transaction_did_not_reach(relaying, sink, credential):
    sink.limit, sink.last = 3, 2
    code, text = submit(relaying.login(credential), recipients=MANY)
    assert (code, text) == (
        451,
        b"4.3.0 The message was delivered, but not yet to <user6@example.org>, try again later",
    )
    assert sum((recipients for _sender, recipients, _content in sink.messages), []) == MANY[:6]


@database
def test_unavailable_next_hop_is_a_temporary_failure(start_listener, credential):
    server = SinkServer()
    with start_listener(SMTP_RELAY_URL=server.url) as listener:
        smtp = listener.login(credential)
        assert submit(smtp) == UNAVAILABLE
        with server:  # and when it comes up, the same session goes on
            assert submit(smtp)[0] == 250
        assert submit(smtp) == UNAVAILABLE
        assert "MESSAGE id=" in listener.log.read_text()


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:25",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:abc",
        "smtp://mail.example/path",
        "smtp://mail.example?tls=no",
        "smtp://user:secret@mail.example",
        "smtp://user:secret@mail.example:99999",
    ],
)
def test_invalid_url_is_refused_without_showing_its_password(url):
    with pytest.raises(BadURL) as caught:
        Relay.from_url(url, "me.example")
    assert "secret" not in str(caught.value)


def test_invalid_url_stops_the_start(start_listener):
    with (
        pytest.raises(RuntimeError, match="SMTP_RELAY_URL: it must be"),
        start_listener(SMTP_RELAY_URL="ftp://x"),
    ):
        pass


def test_silent_next_hop_is_a_temporary_failure(monkeypatch):
    monkeypatch.setattr(relay, "COMMAND_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Deferred):
        deliver(f"smtp://127.0.0.1:{silent.getsockname()[1]}")


def test_address_that_does_not_answer_is_skipped(monkeypatch):
    monkeypatch.setattr(relay, "CONNECT_SECONDS", 0.3)
    with (
        SinkServer() as server,
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        ExitStack() as stack,
    ):
        for _ in range(2):  # its queue is full now, so that it answers no further SYN
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
            for address in (full.getsockname(), ("127.0.0.1", server.port))
        ]

        async def look_up(_loop, *_args, **_options):
            return addresses

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
        deliver("smtp://hop.example")
    assert len(server.sink.messages) == 1


def test_waits_are_those_of_rfc_5321_and_less_than_the_clients():
    # Section 4.5.3.2; a wait of minutes can't be tested by waiting.
    assert (relay.COMMAND_SECONDS, relay.START_SECONDS, relay.BLOCK_SECONDS) == (300, 120, 180)
    assert relay.TOTAL_SECONDS < DELIVERY_SECONDS < relay.END_SECONDS == 600


def test_slow_greeting_delays_a_message_and_does_not_refuse_it(monkeypatch):
    monkeypatch.setattr(relay, "CONNECT_SECONDS", 0.2)  # for TCP alone

    def greet_late(server, connection, line):
        server.stopping.wait(1)
        connection.sendall(b"220 At last\r\n")

    with Scripted(offers=(), connect=greet_late) as hop:
        deliver(f"smtp://127.0.0.1:{hop.port}")
    assert len(hop.messages) == 1


def test_whole_transaction_has_a_time_limit(monkeypatch):
    monkeypatch.setattr(relay, "TOTAL_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Deferred):
        deliver(f"smtp://127.0.0.1:{silent.getsockname()[1]}")


def test_relay_logs_in_with_the_decoded_password():
    with SinkServer(credentials="me%40x:right%20%26%20proper@") as server:
        deliver(server.url)
    assert server.sink.logins == [(b"me@x", b"right & proper")]
    assert len(server.sink.messages) == 1


def test_refused_relay_login_is_a_temporary_failure():
    with SinkServer(credentials="me:wrong@") as server, pytest.raises(Deferred) as caught:
        deliver(server.url)
    assert "wrong" not in str(caught.value)


def test_starttls_is_used_if_offered(certificate):
    with SinkServer(tls=certificate, require_starttls=True) as server:
        deliver(server.url)
    assert len(server.sink.messages) == 1


def test_smtp_tls_refuses_a_next_hop_without_starttls():
    with SinkServer(scheme="smtp+tls") as server, pytest.raises(Deferred):
        deliver(server.url)
    assert server.sink.messages == []


def test_smtp_tls_refuses_a_wrong_certificate(certificate):
    with SinkServer(scheme="smtp+tls", tls=certificate) as server, pytest.raises(Deferred):
        deliver(server.url)
    assert server.sink.messages == []


def test_smtp_tls_trusts_the_authorities_of_the_system(certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "submission.crt"))
    with SinkServer(scheme="smtp+tls", tls=certificate) as server:
        deliver(server.url)
    assert len(server.sink.messages) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"sender": "jörg@sl.example.com", "smtp_utf8": True}, Reason.NEEDS_SMTPUTF8),
        ({"recipients": ("jörg@example.org",), "smtp_utf8": True}, Reason.NEEDS_SMTPUTF8),
    ],
)
def test_next_hop_without_smtputf8_gets_no_utf8_addresses(options, reason):
    with SinkServer(enable_SMTPUTF8=False) as server, pytest.raises(Rejected) as caught:
        deliver(server.url, **options)
    assert caught.value.reason is reason


def test_next_hop_without_8bitmime_gets_no_8bit_message():
    with SinkServer(enable_SMTPUTF8=True, decode_data=True) as server, pytest.raises(Rejected) as caught:
        deliver(server.url, content="From: a@b.example\r\n\r\nJörg\r\n".encode())
    assert caught.value.reason is Reason.NEEDS_8BITMIME


def test_8bitmime_and_smtputf8_are_announced_to_the_next_hop():
    with SinkServer() as server:
        content = "From: jörg@sl.example.com\r\n\r\n".encode()
        deliver(server.url, sender="jörg@sl.example.com", smtp_utf8=True, content=content)
    assert set(server.sink.options[0]) == {f"SIZE={len(content)}", "SMTPUTF8", "BODY=8BITMIME"}


@pytest.fixture
def certificate(tmp_path) -> ssl.SSLContext:
    context = tls.context()
    tls.load(context, *tls.self_signed(tmp_path, "localhost"))
    return context


def deliver(url, **fields):
    defaults = {"id": "1", "sender": SENDER, "recipients": (RECIPIENT,), "content": MESSAGE, "smtp_utf8": False}
    message = Message(**defaults | fields)

    async def run():
        await Relay.from_url(url, "me.example").deliver(message)

    asyncio.run(run())
