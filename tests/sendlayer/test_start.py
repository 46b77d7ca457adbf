"""`python -m sendlayer.start`, the heart of `make run`: both servers, their addresses, the sign-in."""

import os
import re
import signal
import smtplib
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection

import pytest

from sendlayer.start import EX_UNAVAILABLE, _addresses
from tests.servers import ROOT, free_port

READY = "Stop       Ctrl-C"
SECONDS = 120
PORTS = ("PORT", "SMTP_PORT", "SMTP_TLS_PORT")


@pytest.fixture
def place(tmp_path):
    """The environment of a fresh machine: a missing VAR_DIR, two free ports."""
    given = ("SECRET_KEY", "CREDENTIAL_KEYS", "DATABASE_URL", "SMTP_HOST", "DEMO_PASSWORD", "EMAIL_URL")
    environment = {name: value for name, value in os.environ.items() if name not in given}
    # make runs collectstatic; WhiteNoise needs the folder.
    (tmp_path / "static").mkdir()
    ports = {name: str(free_port()) for name in PORTS}
    return environment | {"VAR_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"} | ports


@contextmanager
def started(place, log):
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sendlayer.start"], cwd=ROOT, env=place, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + SECONDS
        while READY not in log.read_text() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        yield process, log.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)


def get(path, port):
    with closing(HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers["Location"]


def stored(place):
    queries = ("SELECT * FROM accounts_user", "SELECT * FROM audit_event")
    with closing(sqlite3.connect(f"{place['VAR_DIR']}/db.sqlite3")) as database:
        return [database.execute(query).fetchall() for query in queries]


def test_start_runs_both_servers_prints_addresses_and_keeps_data(place, tmp_path):
    with started(place, tmp_path / "log") as (_process, said):
        assert f"http://127.0.0.1:{place['PORT']}/" in said
        smtp = f"127.0.0.1:{place['SMTP_PORT']} (STARTTLS), 127.0.0.1:{place['SMTP_TLS_PORT']} (TLS)"
        assert smtp in said
        assert re.search(r"Sign in as owner@example.com with the password \S{16}\n", said)
        assert get("/", place["PORT"]) == (302, "/login/?next=/")
        with socket.create_connection(("127.0.0.1", int(place["SMTP_PORT"])), 5) as client:
            assert client.recv(100).startswith(b"220 ")
        trusting = ssl.create_default_context(cafile=tmp_path / "tls" / "submission.crt")
        with smtplib.SMTP_SSL("127.0.0.1", int(place["SMTP_TLS_PORT"]), context=trusting, timeout=5) as client:
            assert client.noop()[0] == 250
    first, keys = stored(place), (tmp_path / ".env").read_text()
    with started(place | {"DEMO_PASSWORD": "something-else"}, tmp_path / "log") as (process, said):
        assert "the password from the first start" in said and "something-else" not in said
    assert process.returncode == 143
    assert (stored(place), (tmp_path / ".env").read_text()) == (first, keys)
    for name in PORTS:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(place[name])), 5)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WEB_BIND", "127.0.0.1:8000 # x", "(sendlayer.E070) WEB_BIND is not an address."),
        ("WEB_BIND", "foo.invalid:8000", "foo.invalid:8000 can't be used: Name or service not known."),
        ("SUBMISSION_ADDRESS", "192.0.2.1", "can't be used: Cannot assign requested address."),
    ],
)
def test_start_names_an_address_that_can_not_be_used(place, tmp_path, name, value, words):
    with started(place | {name: value}, tmp_path / "log") as (process, said):
        assert process.wait(SECONDS) in (EX_UNAVAILABLE, os.EX_CONFIG)
    assert words in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("bind", "web"),
    [
        ("127.0.0.1", [("PORT", "127.0.0.1", 8123)]),
        ("[::1]:9000", [("PORT", "::1", 9000)]),
        ("unix:/run/sendlayer/web.sock", []),
    ],
)
def test_addresses_of_the_dashboard(monkeypatch, bind, web):
    monkeypatch.setenv("WEB_BIND", bind)
    assert [address for address in _addresses(8123) if address[0] == "PORT"] == web


@pytest.mark.parametrize("name", PORTS)
def test_start_names_a_port_in_use(place, tmp_path, name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(place | {name: str(port)}, tmp_path / "log") as (process, said):
            assert process.wait(SECONDS) == EX_UNAVAILABLE
    assert f"127.0.0.1:{port} is in use. Choose another port: make run {name}=" in said
    assert READY not in said and not (tmp_path / "db.sqlite3").exists()
