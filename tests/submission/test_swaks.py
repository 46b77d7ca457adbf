"""swaks, a third-party client, against the real listener."""

import shutil
import subprocess

import pytest

from tests.factories import SYSTEM, password_of
from tests.submission.clients import RECIPIENT, SENDER

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

NO_AUTH_SUPPORT, BAD_LOGIN, BAD_MAIL, BAD_DATA = 28, 28, 23, 26  # swaks' exit codes


def swaks(*options):
    path = shutil.which("swaks")
    assert path, "swaks is not installed: apt-get install swaks"
    command = [
        path,
        "--from",
        SENDER,
        "--to",
        RECIPIENT,
        "--ehlo",
        "swaks.example",
        "--timeout",
        "15",
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def within_tls(listener):
    server = ["--server", f"127.0.0.1:{listener.port}", "-tls"]

    def run(credential, password, *options, mechanism="PLAIN"):
        login = ["--auth", mechanism, "--auth-user", credential.username, "--auth-password", password]
        return swaks(*server, *login, *options)

    return run


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_sends_a_message(within_tls, credential, outbox, mechanism):
    run = within_tls(credential, password_of(credential), mechanism=mechanism)
    assert run.returncode == 0, run.stdout + run.stderr
    assert b"This is a test mailing" in outbox()[0]


def test_swaks_with_a_wrong_password_is_refused(within_tls, credential, outbox):
    run = within_tls(credential, "wrong")
    assert run.returncode == BAD_LOGIN
    assert "535 5.7.8 Authentication credentials invalid" in run.stdout
    assert outbox() == []


def test_swaks_with_a_deleted_credential_is_refused(within_tls, credential):
    password = password_of(credential)
    credential.remove(by=SYSTEM)
    run = within_tls(credential, password)
    assert run.returncode == BAD_LOGIN
    assert "535 5.7.8 Authentication credentials invalid" in run.stdout


def test_swaks_with_a_foreign_sender_is_refused(within_tls, credential):
    run = within_tls(credential, password_of(credential), "--from", "x@evil.example")
    assert run.returncode == BAD_MAIL
    assert "553 5.7.1" in run.stdout


def test_swaks_with_a_foreign_header_from_is_refused(within_tls, credential, outbox):
    run = within_tls(credential, password_of(credential), "--header", "From: x@evil.example")
    assert run.returncode == BAD_DATA
    assert "553 5.7.1" in run.stdout
    assert outbox() == []


def test_swaks_without_tls_finds_no_auth(listener, credential):
    login = ["--auth", "PLAIN", "--auth-user", credential.username, "--auth-password", "x"]
    run = swaks("--server", "127.0.0.1", "--port", str(listener.port), *login)
    assert run.returncode == NO_AUTH_SUPPORT
    assert "AUTH" not in "".join(line for line in run.stdout.splitlines() if line.startswith("<-"))


def test_swaks_without_tls_cannot_send(listener):
    run = swaks("--server", "127.0.0.1", "--port", str(listener.port))
    assert run.returncode == BAD_MAIL
    assert "530 5.7.0 Must issue a STARTTLS command first" in run.stdout
