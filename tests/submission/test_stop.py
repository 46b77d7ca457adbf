"""The process: its start, its clean stop, and crashes of a session."""

import asyncio
import signal
import smtplib
import socket
import time

import pytest
from cryptography import x509
from django.db import transaction

from credentials.models import Credential
from submission.listener import tls
from submission.listener.limits import Limits
from submission.listener.session import Listener
from tests.factories import password_of
from tests.submission.clients import MESSAGE, SENDER, auth_plain, closed, finish, wait_until
from tests.submission.scripted_server import Scripted, be_silent

database = pytest.mark.django_db(transaction=True)
pytestmark = pytest.mark.one_database


def test_start_prints_one_line_with_the_address(start_listener):
    with start_listener(SUBMISSION_ADDRESS="127.0.0.1", LOG_LEVEL="INFO") as listener:
        said = wait_until(listener.log.read_text)  # the port answers a moment earlier
    places = f"127.0.0.1:{listener.port} and {listener.tls_port} (TLS)"
    assert said == f"Submission listens on {places}, mail goes to {listener.var_dir}/outbox\n"


def test_listener_listens_on_every_address(start_listener):
    with start_listener(SUBMISSION_ADDRESS="127.0.0.1, [::1]", LOG_LEVEL="INFO") as listener:
        places = f"127.0.0.1, ::1, port {listener.port} and {listener.tls_port} (TLS)"
        assert f"listens on {places}, mail" in wait_until(listener.log.read_text)
        for address in ("127.0.0.1", "::1"):
            with smtplib.SMTP(address, listener.port, timeout=20) as smtp:
                assert smtp.noop()[0] == 250
            socket.create_connection((address, listener.tls_port), timeout=20).close()


def test_international_host_is_named_in_its_ascii_form(start_listener):
    with start_listener(SMTP_HOST="smtp.müller.de") as listener, listener.connect() as smtp:
        assert smtp.ehlo()[1].startswith(b"smtp.xn--mller-kva.de\n")
        smtp.starttls()
        names = x509.load_der_x509_certificate(smtp.sock.getpeercert(binary_form=True)).extensions
        alternative = names.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "smtp.xn--mller-kva.de" in alternative.get_values_for_type(x509.DNSName)


def test_taken_port_stops_the_start_with_a_message(start_listener, listener):
    for name, port in {"SUBMISSION_PORT": listener.port, "SUBMISSION_TLS_PORT": listener.tls_port}.items():
        with (
            pytest.raises(RuntimeError, match=f"Can't listen on 127.0.0.1:.*{port}"),
            start_listener(**{name: str(port)}),
        ):
            pass


@database
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_listener_with_idle_sessions_stops_at_once(start_listener, credential, number):
    with start_listener() as listener:
        clients = [listener.connect(), listener.secure(), listener.login(credential)]
        start = time.monotonic()
        listener.process.send_signal(number)
        assert listener.process.wait(30) == 0
        assert time.monotonic() - start < 20  # an idle session may last for 60
        assert [client.getreply()[0] for client in clients] == [421] * 3
        assert "Traceback" not in listener.log.read_text()


@database
def test_message_being_received_is_finished_before_the_stop(start_listener, credential):
    with start_listener() as listener:
        smtp = listener.login(credential)
        for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA"):
            assert smtp.docmd(command)[0] < 400
        listener.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert listener.process.poll() is None
        assert finish(smtp)[0] == 250
        assert smtp.getreply() == (421, b"4.3.2 Server is shutting down")
        assert listener.process.wait(30) == 0
        assert len(listener.messages()) == 1


@database
def test_endless_message_does_not_prevent_the_stop(start_listener, credential):
    with start_listener() as listener:
        smtp = listener.login(credential)
        for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA"):
            assert smtp.docmd(command)[0] < 400
        smtp.sock.sendall(MESSAGE)
        listener.process.send_signal(signal.SIGTERM)
        assert listener.process.wait(30) == 0
        assert smtp.getreply()[0] == 421
        assert closed(smtp)
        assert listener.messages() == []


@database
def test_next_hop_that_does_not_answer_does_not_prevent_the_stop(start_listener, credential):
    with (
        Scripted(connect=be_silent) as hop,
        start_listener(SMTP_RELAY_URL=f"smtp://127.0.0.1:{hop.port}") as waiting,
    ):
        smtp = waiting.login(credential)
        for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA"):
            assert smtp.docmd(command)[0] < 400
        smtp.sock.sendall(MESSAGE + b".\r\n")
        waiting.process.send_signal(signal.SIGTERM)
        assert waiting.process.wait(10) == 0
        assert smtp.getreply() == (421, b"4.3.2 Server is shutting down")


@database
def test_thread_that_waits_for_the_database_does_not_prevent_the_stop(start_listener, credential):
    password = password_of(credential)
    with start_listener() as listener, transaction.atomic():
        Credential.objects.update(label="held")  # the note of the last use waits for this row
        auth_plain(listener.secure(), credential.username, password)
        listener.process.send_signal(signal.SIGTERM)
        assert listener.process.wait(30) == 0


class Crashing:
    """A handler with a bug."""

    async def log_in(self, session, login):
        raise RuntimeError("secret-word")


def test_crash_ends_no_session_and_reveals_nothing(tmp_path, caplog):
    """With a stub, because the real handler has no known way to crash."""
    context = tls.context()
    tls.load(context, *tls.self_signed(tmp_path, "localhost"))

    async def run():
        listener = Listener(Crashing(), "localhost", context, Limits())
        server = await asyncio.get_running_loop().create_server(listener.connection, "127.0.0.1", 0)
        async with server:
            return await asyncio.to_thread(talk, server.sockets[0].getsockname()[1])

    def talk(port):
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.starttls()
            smtp.ehlo()
            return auth_plain(smtp, "u", "p"), smtp.noop()

    assert asyncio.run(run()) == ((451, b"4.3.0 Internal error, try again later"), (250, b"2.0.0 OK"))
    assert "A session failed: RuntimeError" in caplog.text
