"""Clients that dawdle, at a web server with fewer threads than they are."""

import socket
import time
from contextlib import ExitStack

import pytest

from tests.servers import free_port, running

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HALVES = [
    b"",
    b"GET /healthz HTTP/1.1\r\nHost: loc",
    b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nCookie: csrf=%b\r\nContent-Length: 99\r\n\r\nx" % (b"c" * 32),
]


def test_clients_that_never_end_their_request_do_not_stop_the_others(tmp_path):
    port = free_port()
    few = {"PORT": str(port), "WEB_WORKERS": "1", "WEB_THREADS": "2", "WEB_READ_TIMEOUT": "1"}
    with (
        running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=tmp_path / "log", **few),
        ExitStack() as dawdlers,
    ):
        for half in HALVES * 2:
            dawdlers.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(half)
        with socket.create_connection(("127.0.0.1", port), timeout=15) as somebody:
            somebody.sendall(ALIVE)
            assert somebody.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_clients_that_never_read_their_answer_do_not_stop_the_others(tmp_path):
    port = free_port()
    few = {"PORT": str(port), "WEB_WORKERS": "1", "WEB_THREADS": "2", "WEB_WRITE_TIMEOUT": "1"}
    with (
        running(["-m", "gunicorn", "tests.sendlayer.large"], port=port, log=tmp_path / "log", **few),
        ExitStack() as dawdlers,
    ):
        for _ in range(6):
            dawdler = dawdlers.enter_context(socket.create_connection(("127.0.0.1", port)))
            dawdler.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port), timeout=30) as somebody:
            somebody.sendall(ALIVE)
            assert somebody.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_client_that_reads_slowly_gets_all_of_it(tmp_path):
    port = free_port()
    with (
        running(
            ["-m", "gunicorn", "tests.sendlayer.large"],
            port=port,
            log=tmp_path / "log",
            PORT=str(port),
            WEB_READ_TIMEOUT="1",
            WEB_WRITE_TIMEOUT="3",
        ),
        socket.create_connection(("127.0.0.1", port), timeout=15) as slow,
    ):
        slow.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = 0
        for pause in [0.5] * 10 + [0] * 100_000:
            time.sleep(pause)
            if not (part := slow.recv(1_000_000)):
                break
            got += len(part)
    assert got > 512 * 65_536
