"""The end of an HTTP request: ambiguous framing is refused, and nothing behind it is executed."""

import socket

import pytest

from tests.servers import free_port, running

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]
NEXT = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    port = free_port()
    log = tmp_path_factory.mktemp("web") / "log"
    with running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=log, PORT=str(port)):
        yield port


def answer(port, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as web:
        web.sendall(request)
        found = b""
        while part := web.recv(4096):
            found += part
    return found


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        b"Content-Length: +0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"X: 1\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_no_request_is_smuggled_behind_another(port, framing):
    assert b" 200 OK" not in answer(port, b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n" + framing + NEXT)


def test_two_pipelined_requests_get_two_answers(port):
    assert answer(port, NEXT.replace(b"Connection: close\r\n", b"") + NEXT).count(b" 200 OK") == 2
