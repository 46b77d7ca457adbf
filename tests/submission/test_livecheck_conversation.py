"""The conversation of the live check with all kinds of mail servers: its end, its time, its secrecy."""

import base64
import socket
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509

from credentials import passwords
from submission.listener import tls
from submission.livecheck.conversation import Conversation, Plan, Stage
from submission.livecheck.faults import Fault
from submission.livecheck.redaction import Redactor
from tests.servers import free_port
from tests.submission.scripted_server import (
    Scripted,
    be_silent,
    drip,
    echo,
    flood,
    flood_without_lines,
    hang_up,
    talk_ahead,
)

pytestmark = pytest.mark.one_database

PASSWORD = passwords.generate()
USERNAME = "A1" * 16
SECONDS = 2.5
MESSAGE = b"Subject: Hello\r\n\r\n.dot\r\nBody\r\n"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Certificate and key of the dashboard's own listener."""
    return tls.self_signed(tmp_path_factory.mktemp("own"), "mail.example")


@pytest.fixture
def converse(own):
    """Run a conversation with a port; return (verdict, conversation, addresses given to before_login)."""

    def converse(port, seconds=10.0, **plan):
        noted_ips = []
        fields = {"host": "localhost", "sender": "info@sl.example.com", "recipient": "alice@example.com"}
        fields |= {"own_certificate": Path(own[0])} | plan
        plan = Plan(port=port, username=USERNAME, password=PASSWORD, **fields)
        conversation = Conversation(
            plan, seconds=seconds, on_step=lambda steps: None, before_login=noted_ips.append
        )
        return conversation.run(), conversation, noted_ips

    return converse


def transcript(conversation) -> str:
    return "\n".join(line for step in conversation.steps for line in step.lines)


def assert_no_secret_in(text):
    login = base64.b64encode(f"\0{USERNAME}\0{PASSWORD}".encode()).decode()
    for form in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode().rstrip("="), login):
        for start in range(0, len(form) - 12):
            assert form[start : start + 12].lower() not in text.lower()


def test_conversation_goes_through_every_step(converse, own):
    with Scripted(own) as server:
        verdict, conversation, noted_ips = converse(server.port)
    assert verdict.fault is None
    assert [step.title for step in conversation.steps] == [s.value for s in Stage if s is not Stage.MESSAGE]
    assert {step.state for step in conversation.steps} == {"done"}
    assert server.verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "RSET", "QUIT"]
    assert noted_ips == ["127.0.0.1"]
    login = base64.b64encode(f"\0{USERNAME}\0{PASSWORD}".encode()).decode()
    assert server.commands[3] == f"AUTH PLAIN {login}"


def test_transcript_shows_tls_and_certificate_and_no_secret(converse, own):
    with Scripted(own) as server:
        verdict, conversation, _ = converse(server.port)
    text = transcript(conversation)
    for line in ("TLSv1.3, ", "Certificate: CN=mail.example", "Issued by: CN=mail.example", "Valid until: "):
        assert f"\n* {line}" in text
    assert "C: AUTH PLAIN ********\nS: 235 2.7.0 Welcome" in text
    assert verdict.is_self_signed
    assert_no_secret_in(text)
    assert PASSWORD not in repr(conversation._plan)


def test_message_is_dot_stuffed_and_its_reply_kept(converse, own):
    with Scripted(own) as server:
        verdict, _, _ = converse(server.port, message=MESSAGE)
    assert server.messages == [MESSAGE.replace(b"\r\n.dot", b"\r\n..dot")]
    assert str(verdict.reply) == "250 2.0.0 Ok: queued as 4711"
    assert server.verbs[-2:] == ["DATA", "QUIT"]


@pytest.mark.parametrize(
    ("verb", "answer"),
    [("RSET", hang_up), ("RSET", "421 Enough"), ("QUIT", "500 No"), ("QUIT", hang_up), ("QUIT", be_silent)],
)
def test_failed_goodbye_does_not_fail_the_check(converse, own, verb, answer):
    with Scripted(own, **{verb: answer}) as server:
        verdict, conversation, _ = converse(server.port, seconds=SECONDS)
    assert (verdict.fault, conversation.steps[-1].state) == (None, "done")


STAGES = {
    "connect": Stage.GREETING,
    "STARTTLS": Stage.TLS,
    "AUTH": Stage.LOGIN,
    "MAIL": Stage.SENDER,
    "RCPT": Stage.RECIPIENT,
    "DATA": Stage.MESSAGE,
    "message": Stage.MESSAGE,
}


@pytest.mark.parametrize("verb", STAGES)
@pytest.mark.parametrize("answer", ["421 4.7.0 Too busy", "451 4.3.0 Later", "550 5.7.1 Never"])
def test_conversation_ends_at_the_refused_step(converse, own, verb, answer):
    with Scripted(own, **{verb: answer}) as server:
        verdict, conversation, _ = converse(server.port, message=MESSAGE)
    assert (verdict.stage, verdict.fault) == (STAGES[verb], Fault.REPLY)
    assert str(verdict.reply) == answer
    assert conversation.steps[-1].state == "failed"
    assert f"S: {answer}" in conversation.steps[-1].lines


@pytest.mark.parametrize(
    ("verb", "answer"),
    [("connect", be_silent), ("connect", drip), ("STARTTLS", drip), ("AUTH", be_silent), ("message", drip)],
)
def test_conversation_ends_in_time_with_slow_and_silent_servers(converse, own, verb, answer):
    with Scripted(own, **{verb: answer}) as server:
        begun = time.monotonic()
        verdict, _, _ = converse(server.port, seconds=SECONDS, message=MESSAGE)
        took = time.monotonic() - begun
    assert (verdict.stage, verdict.fault) == (STAGES[verb], Fault.TIMEOUT)
    assert SECONDS - 0.1 < took < SECONDS + 10  # a drip would go on for ever


@pytest.mark.parametrize("verb", STAGES)
def test_dropped_connection_is_reported_with_its_step(converse, own, verb):
    with Scripted(own, **{verb: hang_up}) as server:
        verdict, _, _ = converse(server.port, message=MESSAGE)
    assert (verdict.stage, verdict.fault) == (STAGES[verb], Fault.DROPPED)


@pytest.mark.parametrize("answer", [flood, flood_without_lines, "HTTP/1.1 400 No", "220-a\r\n250 b", ""])
@pytest.mark.parametrize("verb", ["connect", "AUTH"])
def test_reply_that_is_not_smtp_ends_the_conversation(converse, own, verb, answer):
    with Scripted(own, **{verb: answer}) as server:
        verdict, conversation, _ = converse(server.port)
    assert (verdict.stage, verdict.fault) == (STAGES[verb], Fault.NOT_SMTP)
    assert len(conversation.steps[-1].lines) <= 60


def test_long_line_is_shortened_in_the_transcript(converse, own):
    with Scripted(own, connect="220 " + "x" * 900) as server:
        _, conversation, _ = converse(server.port)
    assert max(len(line) for step in conversation.steps for line in step.lines) < 310


def test_unprintable_characters_are_replaced_in_the_transcript(converse, own):
    with Scripted(own, AUTH="550 a\x1b[31m\x00\u202eb") as server:
        verdict, _, _ = converse(server.port)
    assert str(verdict.reply) == "550 a?[31m??b"


class TestNoPasswordWithoutVerifiedTLS:
    def assert_password_not_sent(self, server, noted_ips):
        assert "AUTH" not in server.verbs
        assert noted_ips == []

    def test_no_password_without_starttls(self, converse, own):
        with Scripted(own, offers=["AUTH PLAIN LOGIN"]) as server:
            verdict, _, noted_ips = converse(server.port)
        assert verdict.fault is Fault.NO_STARTTLS
        self.assert_password_not_sent(server, noted_ips)

    def test_no_password_to_an_untrusted_certificate(self, converse, tmp_path):
        with Scripted(tls.self_signed(tmp_path, "mail.example")) as server:
            verdict, _, noted_ips = converse(server.port)
        assert (verdict.stage, verdict.fault) == (Stage.TLS, Fault.CERTIFICATE)
        assert "self-signed" in verdict.detail
        self.assert_password_not_sent(server, noted_ips)

    def test_no_password_to_a_certificate_of_another_name(self, own, converse, tmp_path, monkeypatch):
        monkeypatch.setattr(tls, "_names", lambda host: [x509.DNSName(host)])
        other = tls.self_signed(tmp_path, "other.example")
        with Scripted(other) as server:
            verdict, _, noted_ips = converse(server.port, own_certificate=Path(other[0]))
        assert verdict.fault is Fault.CERTIFICATE
        assert "not valid for 'localhost'" in verdict.detail
        self.assert_password_not_sent(server, noted_ips)

    def test_no_password_after_a_failed_handshake(self, converse):
        with Scripted() as server:
            verdict, _, noted_ips = converse(server.port)
        assert (verdict.stage, verdict.fault) == (Stage.TLS, Fault.HANDSHAKE)
        self.assert_password_not_sent(server, noted_ips)

    def test_reply_injected_before_tls_has_no_effect(self, converse, own):
        with Scripted(own, STARTTLS=talk_ahead, offers_in_tls=[]) as server:
            verdict, _, noted_ips = converse(server.port)
        assert (verdict.stage, verdict.fault) == (Stage.LOGIN, Fault.NO_LOGIN)
        self.assert_password_not_sent(server, noted_ips)

    def test_auth_offered_only_before_tls_does_not_count(self, converse, own):
        with Scripted(own, offers=["STARTTLS", "AUTH PLAIN"], offers_in_tls=[]) as server:
            verdict, _, noted_ips = converse(server.port)
        assert verdict.fault is Fault.NO_LOGIN
        self.assert_password_not_sent(server, noted_ips)

    def test_no_password_without_auth_plain(self, converse, own):
        with Scripted(own, offers_in_tls=["AUTH CRAM-MD5 PLAINER"]) as server:
            verdict, _, noted_ips = converse(server.port)
        assert (verdict.stage, verdict.fault) == (Stage.LOGIN, Fault.NO_LOGIN)
        self.assert_password_not_sent(server, noted_ips)


class TestNotConnected:
    def test_refused_connection_is_reported(self, converse):
        verdict, conversation, _ = converse(free_port())
        assert (verdict.stage, verdict.fault) == (Stage.CONNECT, Fault.REFUSED)
        assert conversation.steps[-1].state == "failed"

    @pytest.mark.parametrize(
        ("error", "fault"),
        [
            (socket.gaierror(socket.EAI_NONAME, "unknown"), Fault.NAME_NOT_FOUND),
            (socket.gaierror(socket.EAI_AGAIN, "try again"), Fault.NAME_UNANSWERED),
            (UnicodeError("label too long"), Fault.NAME_NOT_FOUND),
        ],
    )
    def test_unresolvable_name_is_reported(self, converse, monkeypatch, error, fault):
        def fail(*args, **kwargs):
            raise error

        monkeypatch.setattr(socket, "getaddrinfo", fail)
        verdict, _, _ = converse(25)
        assert (verdict.stage, verdict.fault) == (Stage.CONNECT, fault)

    def test_slow_resolver_ends_the_check_in_time(self, converse, monkeypatch):
        answered = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answered.wait(20) and [])
        begun = time.monotonic()
        verdict, _, _ = converse(25, seconds=SECONDS)
        took = time.monotonic() - begun
        answered.set()
        assert verdict.fault is Fault.NAME_UNANSWERED
        assert took < SECONDS + 10

    def test_next_address_is_tried(self, converse, own, monkeypatch):
        with Scripted(own) as server:
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            found = [(*kind, ("127.0.0.1", free_port())), (*kind, ("127.0.0.1", server.port))]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
            verdict, _, _ = converse(1)
        assert verdict.fault is None


class TestSecrecy:
    def test_login_repeated_by_the_server_is_masked(self, converse, own):
        with Scripted(own, AUTH=echo) as server:
            verdict, conversation, _ = converse(server.port)
        assert PASSWORD in base64.b64decode(server.commands[3].split()[2]).decode()
        assert str(verdict.reply) == "535 5.7.8 You said: AUTH PLAIN ********"
        assert_no_secret_in(transcript(conversation))

    @pytest.mark.parametrize(
        "sent_back",
        [
            PASSWORD,
            PASSWORD.upper(),
            f"<{PASSWORD[:30]}",
            f"user\0{PASSWORD}",
            base64.b64encode(PASSWORD.encode()).decode(),
            base64.b64encode(b"xy" + PASSWORD.encode() + b"z").decode(),
            PASSWORD.encode().hex(),
        ],
    )
    def test_password_is_masked_in_every_form(self, sent_back):
        masked = Redactor(PASSWORD)(f"535 {sent_back}.")
        assert masked.startswith("535 ")
        assert "********" in masked
        assert_no_secret_in(masked)

    def test_text_without_secret_is_unchanged(self):
        for line in ("250-8BITMIME", "535 5.7.8 Authentication credentials invalid", "ẞÀİ", "sl_", USERNAME):
            assert Redactor(PASSWORD)(line) == line


@pytest.mark.parametrize("recipient", ["no-at", "a b@example.com", "a@b>\r\nRCPT TO:<x@y", "ü@example.com", ""])
def test_recipient_that_smtp_cannot_carry_is_not_sent(converse, own, recipient):
    with Scripted(own) as server:
        verdict, _, _ = converse(server.port, recipient=recipient)
    assert (verdict.stage, verdict.fault) == (Stage.RECIPIENT, Fault.ADDRESS)
    assert "RCPT" not in server.verbs
