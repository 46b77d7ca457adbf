"""STARTTLS: nothing is accepted before it, nothing is kept across it. Implicit TLS: the same session."""

import os
import signal
import socket
import ssl
import stat
from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509

from submission.listener import tls
from tests.factories import password_of
from tests.submission.clients import auth_plain, bare, closed, submit, wait_until

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

TLS_FIRST = (530, b"5.7.0 Must issue a STARTTLS command first")


def test_auth_is_not_offered_before_tls(listener):
    smtp = listener.connect()
    assert smtp.has_extn("starttls")
    assert not smtp.has_extn("auth")


def test_ehlo_within_tls_offers_auth_and_not_starttls(secure):
    assert secure.esmtp_features["auth"].split() == ["LOGIN", "PLAIN"]
    assert not secure.has_extn("starttls")


@pytest.mark.parametrize(
    "command",
    ["AUTH PLAIN AGEAYg==", "AUTH LOGIN", "MAIL FROM:<info@sl.example.com>", "RCPT TO:<a@b.example>"]
    + ["DATA", "VRFY root", "EXPN root", "HELP", "RSET", "HELO x", "NONSENSE"],
)
def test_commands_before_tls_are_refused(listener, command):
    assert listener.connect().docmd(command) == TLS_FIRST


def test_starttls_within_tls_is_out_of_order(secure):
    assert secure.docmd("STARTTLS")[0] == 503


def test_starttls_with_an_argument_is_a_syntax_error(listener):
    assert listener.connect().docmd("STARTTLS now")[0] == 501


def test_session_starts_over_within_tls(listener):
    smtp = listener.connect()
    smtp.starttls(context=listener.trusting())
    assert auth_plain(smtp, "a", "b")[0] == 503


def test_commands_pipelined_after_starttls_are_dropped(listener):
    with bare(listener.port) as plain:
        plain.recv(1000)
        plain.sendall(b"EHLO a\r\n")
        plain.recv(1000)
        plain.sendall(b"STARTTLS\r\nEHLO injected\r\nNOOP\r\n")
        assert plain.recv(1000).startswith(b"220")
        with listener.trusting().wrap_socket(plain, server_hostname="127.0.0.1") as sock:
            sock.sendall(b"NOOP\r\nMAIL FROM:<a@b.example>\r\n")
            replies = b""
            while replies.count(b"\r\n") < 2:
                replies += sock.recv(1000)
    assert replies == b"250 2.0.0 OK\r\n503 5.5.1 Send EHLO first\r\n"


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1.* is deprecated:DeprecationWarning")
def test_old_tls_is_refused_with_an_alert(listener, version):
    context = listener.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    for sock in (listener.connect(), socket.create_connection(("127.0.0.1", listener.tls_port), 10)):
        with sock, pytest.raises(ssl.SSLError, match="alert protocol version"):
            begin_tls(sock, context)
    assert "outcome=tls_handshake_failed reason=UNSUPPORTED_PROTOCOL" in listener.log.read_text()


def begin_tls(client, context):
    """Begin TLS as an SMTP client does it, or on a bare socket."""
    if isinstance(client, socket.socket):
        return context.wrap_socket(client, server_hostname="127.0.0.1")
    return client.starttls(context=context)


def test_implicit_tls_serves_the_same_session(listener, credential, outbox):
    smtp = listener.secure_from_the_start()
    assert smtp.esmtp_features["auth"].split() == ["LOGIN", "PLAIN"]
    assert not smtp.has_extn("starttls")
    assert smtp.docmd("STARTTLS")[0] == 503
    assert auth_plain(smtp, credential.username, "wrong")[0] == 535
    assert auth_plain(smtp, credential.username, password_of(credential))[0] == 235
    assert submit(smtp)[0] == 250
    assert b" with ESMTPSA id " in outbox()[0]
    assert smtp.docmd("QUIT")[0] == 221
    assert closed(smtp)


def test_starttls_client_on_the_implicit_tls_port_is_refused(listener):
    with bare(listener.tls_port) as sock:
        sock.sendall(b"EHLO client.example\r\n")
        while chunk := sock.recv(1000):
            assert not chunk[:1].isdigit()  # an alert, no reply that nobody encrypted
    wait_until(lambda: listener.secure_from_the_start().noop()[0] == 250)


def test_client_that_ends_tls_gets_the_end_of_tls(listener):
    for smtp in (listener.secure(), listener.secure_from_the_start()):
        plain = smtp.sock.unwrap()  # raises an error if the connection ends without close_notify
        assert plain.recv(1000) == b""
        plain.close()


def test_rubbish_within_tls_ends_the_connection(listener):
    for sock in (listener.secure().sock, listener.secure_from_the_start().sock):
        os.write(sock.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))
        with pytest.raises((ssl.SSLError, ConnectionError)):  # noqa: PT012
            assert sock.recv(1000) == b""
            raise ConnectionError
    assert listener.secure().noop()[0] == 250


def test_clients_that_abort_the_handshake_free_their_places(listener):
    for _ in range(40):  # more than one address may have open
        with bare(listener.port) as sock, bare(listener.tls_port) as implicit:
            sock.recv(1000)
            sock.sendall(b"STARTTLS\r\n")
            assert sock.recv(1000).startswith(b"220")
            implicit.sendall(b"\x16\x03\x01")
    assert wait_until(lambda: listener.connect().noop()[0] == 250)


def test_certificate_is_created_once_with_a_private_key(listener, tmp_path):
    paths = tls.self_signed(tmp_path / "tls", "smtp.example.com")
    made = [os.stat(path).st_ino for path in paths]
    assert tls.self_signed(tmp_path / "tls", "smtp.example.com") == paths
    assert [os.stat(path).st_ino for path in paths] == made
    assert stat.S_IMODE(os.stat(paths[1]).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(listener.var_dir / "tls").st_mode) == 0o700


@pytest.mark.parametrize("host", ["smtp.example.com", "192.0.2.1", "2001:db8::1", "localhost"])
def test_certificate_names_the_host(tmp_path, host):
    names = alternative_names(tls.self_signed(tmp_path, host)[0])
    assert {host, "localhost", "127.0.0.1"} == names


def test_certificate_is_recreated_for_another_host(tmp_path):
    tls.self_signed(tmp_path, "old.example.com")
    assert "new.example.com" in alternative_names(tls.self_signed(tmp_path, "new.example.com")[0])


def test_certificate_is_recreated_before_it_expires(tmp_path, monkeypatch):
    monkeypatch.setattr(tls, "LIFETIME", timedelta(days=29))
    old = serial(tls.self_signed(tmp_path, "localhost")[0])
    monkeypatch.undo()
    assert serial(tls.self_signed(tmp_path, "localhost")[0]) != old


@pytest.mark.parametrize("name", ["submission.key", "submission.crt"])
@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_certificate_is_recreated_if_a_file_is_lost(tmp_path, name, content):
    paths = tls.self_signed(tmp_path, "localhost")
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    tls.self_signed(tmp_path, "localhost")
    tls.load(tls.context(), *paths)


def test_certificate_is_recreated_if_the_key_differs(tmp_path):
    paths = tls.self_signed(tmp_path, "localhost")
    tls.self_signed(tmp_path / "other", "localhost")
    (tmp_path / "other" / "submission.key").rename(tmp_path / "submission.key")
    tls.self_signed(tmp_path, "localhost")
    tls.load(tls.context(), *paths)


def test_operators_certificate_is_used_and_reloaded_on_sighup(start_listener, tmp_path):
    cert, key = tls.self_signed(tmp_path, "mine.example.com")
    with start_listener(SUBMISSION_TLS_CERT=cert, SUBMISSION_TLS_KEY=key) as listener:
        first = presented(listener)
        assert first == serial(cert)
        tls.self_signed(tmp_path, "renewed.example.com")
        listener.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: presented(listener) != first)
        assert presented(listener) == serial(cert)
        assert not (listener.var_dir / "tls").exists()


@pytest.mark.parametrize(
    "pair",
    [{"SUBMISSION_TLS_CERT": "/nowhere"}, {"SUBMISSION_TLS_CERT": __file__, "SUBMISSION_TLS_KEY": __file__}],
)
def test_invalid_certificate_stops_the_start_with_a_message(start_listener, pair):
    with pytest.raises(RuntimeError, match="certificate|no such file"), start_listener(**pair):
        pass


def presented(listener):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    smtp = listener.connect()
    smtp.starttls(context=context)
    return x509.load_der_x509_certificate(smtp.sock.getpeercert(binary_form=True)).serial_number


def read(path):
    with open(path, "rb") as file:
        return x509.load_pem_x509_certificate(file.read())


def serial(path):
    return read(path).serial_number


def alternative_names(path):
    names = read(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(ip_address(name)) for name in names.get_values_for_type(x509.IPAddress)}
    return addresses | set(names.get_values_for_type(x509.DNSName))
