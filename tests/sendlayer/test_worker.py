"""Clients that dawdle, at a web server with fewer threads than they are."""

import socket
import time
from contextlib import ExitStack, contextmanager

import pytest

from tests.servers import collect_static, free_port, running

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

LARGE = 65_536 * 512  # bytes of the answer of tests.sendlayer.large
ASK_FOR_IT = b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HALVES = [
    b"",
    b"GET /healthz HTTP/1.1\r\nHost: loc",
    b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nCookie: csrf=%b\r\nContent-Length: 99\r\n\r\nx" % (b"c" * 32),
]


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def two_threads(log):
    """Run a site of two threads: two_threads(**settings) → connect(), which opens a connection to it."""
    collect_static()

    @contextmanager
    def serve(**settings):
        port = free_port()
        few = {"PORT": str(port), "WEB_WORKERS": "1", "WEB_THREADS": "2"}
        with (
            running(["-m", "gunicorn", "tests.sendlayer.large"], port=port, log=log, **few, **settings),
            ExitStack() as opened,
        ):
            yield lambda: opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))

    return serve


@pytest.mark.parametrize(
    ("setting", "requests"), [("WEB_READ_TIMEOUT", HALVES * 2), ("WEB_WRITE_TIMEOUT", [ASK_FOR_IT] * 6)]
)
def test_clients_that_end_no_request_or_read_no_answer_do_not_stop_the_others(
    two_threads, log, setting, requests
):
    with two_threads(**{setting: "1"}) as connect:
        for request in requests:
            connect().sendall(request)
        somebody = connect()
        somebody.sendall(ALIVE)
        assert somebody.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert "Traceback" not in log.read_text()


def test_a_client_that_reads_slowly_gets_all_of_it(two_threads):
    with two_threads(WEB_READ_TIMEOUT="1", WEB_WRITE_TIMEOUT="3") as connect:
        slow, got = connect(), 0
        slow.sendall(ASK_FOR_IT)
        for pause in [0.5] * 10 + [0] * 100_000:
            time.sleep(pause)
            if not (part := slow.recv(1_000_000)):
                break
            got += len(part)
    assert got > LARGE
