"""Requests that no browser sends, to a real server: each gets one answer and one line of log."""

import re
import socket
from contextlib import suppress
from itertools import count

import pytest

from tests.servers import collect_static, free_port, running

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

SECONDS = 60
FORM = "Content-Type: application/x-www-form-urlencoded"
PARTS = "--x\r\nContent-Disposition: form-data; name=login\r\n\r\na\r\n--x--\r\n"
MULTIPART = "Content-Type: multipart/form-data; boundary=x"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server without an access log."""
    collect_static()
    port, log = free_port(), tmp_path_factory.mktemp("web") / "log"
    environment = {
        "PORT": str(port),
        "ALLOWED_HOSTS": "localhost",
        "ACCESS_LOG": "/dev/null",
        "LOG_LEVEL": "INFO",
        "TRUSTED_PROXIES": "127.0.0.1",
        # One thread: what it logs of a request, it has logged before it takes the next.
        "WEB_WORKERS": "1",
        "WEB_THREADS": "1",
    }
    with running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=log, **environment):
        yield port, log


@pytest.fixture
def send(site):
    """Send bytes; return the answer and the lines that were logged of it."""
    port, log = site

    def send(data):
        before = log.stat().st_size
        answer = exchange(port, data)
        path = f"/behind-it-{next(NUMBERS)}/"
        exchange(port, get(line=f"GET {path} HTTP/1.1"))
        logged, _, _ = log.read_bytes()[before:].decode(errors="replace").partition(f"Not Found: {path}")
        lines = logged.splitlines()[:-1]  # without the beginning of that line
        return answer, [line for line in lines if "Booting worker" not in line]

    return send


NUMBERS = count()


def exchange(port, data) -> bytes:
    answer = b""
    # A server that refuses a body may close before all of it is sent; its answer is there to be read.
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        with suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while part := connection.recv(65_536):
                answer += part
    return answer


def request(line, *headers, host="localhost", body=""):
    lines = [line, *([] if host is None else [f"Host: {host}"]), f"Cookie: csrf={'c' * 32}", *headers]
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n" + body).encode("latin-1")


def post(*headers, body="login=a", kind=FORM, length=True):
    length = [f"Content-Length: {len(body)}"] if length else []
    return request("POST /login/ HTTP/1.1", kind, *headers, *length, body=body)


def get(*headers, line="GET /login/ HTTP/1.1", **kwargs):
    return request(line, *headers, **kwargs)


def statuses(answer):
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d+) ", answer, re.M)]


REFUSED = {
    # Charsets: refused by Django, by Python, or understood as something else.
    "latin 1": (post(kind=f"{FORM}; charset=ISO-8859-1"), 400),
    "quoted charset": (post(kind=f'{FORM}; charset="utf-16"'), 400),
    "utf-7": (post(kind=f"{FORM}; charset=utf-7"), 400),
    "no charset of texts": (post(kind=f"{FORM}; charset=rot13"), 400),
    "idna": (post(kind=f"{FORM}; charset=idna"), 400),
    "unknown charset of a parameter": (post(kind=f"{FORM}; charset*=none''x"), 400),
    "parts in latin 1": (post(kind=f"{MULTIPART}; charset=latin1", body=PARTS), 400),
    "parts in rot13": (post(kind=f"{MULTIPART}; charset=rot13", body=PARTS), 400),
    # Malformed forms.
    "no boundary": (post(kind="Content-Type: multipart/form-data", body=PARTS), 400),
    "long boundary": (post(kind="Content-Type: multipart/form-data; boundary=" + "x" * 500), 400),
    "boundary of another charset": (post(kind="Content-Type: multipart/form-data; boundary*=none''x"), 400),
    "boundary that is not ASCII": (post(kind="Content-Type: multipart/form-data; boundary=\xe9"), 400),
    "parts with bad base64": (
        post(
            kind=MULTIPART,
            body=PARTS.replace("name=login", "name=a; filename=b\r\nContent-Transfer-Encoding: base64"),
        ),
        400,
    ),
    "too many fields": (post(body="a=&" * 1001), 400),
    "too many parts": (post(kind=MULTIPART, body=PARTS.replace("--x--\r\n", "") * 1100 + "--x--\r\n"), 400),
    "too many files": (
        post(kind=MULTIPART, body=PARTS.replace("login", "f; filename=f").replace("--x--\r\n", "") * 110),
        400,
    ),
    "too many fields of a query": (get(line=f"GET /login/?{'a=&' * 1300} HTTP/1.1"), 400),
    "the same, in another charset": (
        get("Content-Type: text/plain; charset=utf8", line=f"GET /login/?{'a=&' * 1300} HTTP/1.1"),
        400,
    ),
    "compressed": (post("Content-Encoding: gzip"), 415),
    "compressed on the way": (post("Transfer-Encoding: gzip, chunked", body="0\r\n\r\n", length=False), 415),
    # Bodies that end early, or never.
    "cut off": (post("Content-Length: 60", length=False), 400),
    "cut off before the first byte": (post("Content-Length: 60", body="", length=False), 400),
    "cut off parts": (post("Content-Length: 900", kind=MULTIPART, body=PARTS, length=False), 400),
    "cut off under a GET": (get("Content-Length: 60", body="x"), 400),
    "chunks cut off": (post(CHUNKED, body="7\r\nlogin=a\r\n", length=False), 400),
    "chunk cut off": (post(CHUNKED, body="60\r\nlogin=a", length=False), 400),
    "chunks without their end": (post(CHUNKED, body="7\r\nlogin=a\r\n0\r\n", length=False), 400),
    "no chunks": (post(CHUNKED, body="login=a", length=False), 400),
    "chunk of a wrong size": (post(CHUNKED, body="3\r\nlogin=a\r\n0\r\n\r\n", length=False), 400),
    "chunks too big": (
        post(CHUNKED, body=f"{3_000_000:x}\r\n{'x' * 3_000_000}\r\n0\r\n\r\n", length=False),
        413,
    ),
    "too big": (post("Content-Length: 99999999999", length=False), 413),
    # Hosts.
    "empty host": (get(host=""), 400),
    "another host": (get(host="evil.test"), 400),
    "host with a path": (get(host="localhost/x"), 400),
    "host with a user": (get(host="me@localhost"), 400),
    "host with a word for a port": (get(host="localhost:abc"), 400),
    "host with a blank": (get(host="local host"), 400),
    "host that is not ASCII": (get(host="\xfc.test"), 400),
    "host of 7,000 characters": (get(host="x" * 7000), 400),
}
# What gunicorn itself refuses: none of it reaches the application. Behind nginx none of it reaches gunicorn.
NOT_HTTP = {
    # Where a request ends.
    "more digits than Python reads": (post(f"Content-Length: {'9' * 5000}", length=False), 400),
    "two lengths": (post("Content-Length: 7"), 400),
    "two lengths in one": (post("Content-Length: 7, 7", length=False), 400),
    "signed length": (post("Content-Length: +7", length=False), 400),
    "negative length": (post("Content-Length: -1", length=False), 400),
    "two numbers": (post("Content-Length: 7 7", length=False), 400),
    "length of another kind": (post("Content-Length: 0x7", length=False), 400),
    "superscript length": (post("Content-Length: \xb2", length=False), 400),
    "empty length": (post("Content-Length:", length=False), 400),
    "length and chunks": (post(CHUNKED, body="0\r\n\r\n"), 400),
    "chunks in HTTP 1.0": (get(CHUNKED, line="POST /login/ HTTP/1.0", body="0\r\n\r\n"), 400),
    "unknown coding": (post("Transfer-Encoding: xchunked", body="0\r\n\r\n", length=False), 501),
    "two hosts": (get("Host: localhost"), 400),
    # Lines.
    "bare LF": (b"GET /login/ HTTP/1.1\nHost: localhost\n\n", 400),
    "bare LF in a header": (get("X: 1\nY: 2"), 400),
    "folded header": (get("X: 1\r\n 2"), 400),
    "NUL in a header": (get("X: \0"), 400),
    "blank before the colon": (get("X : 1"), 400),
    "no colon": (get("x" * 7000), 400),
    "expectation": (get("Expect: 200-ok"), 417),
    "long path": (get(line=f"GET /{'x' * 9000} HTTP/1.1"), 414),
    "long header": (get("X: " + "x" * 9000), 431),
    "another version": (get(line="GET /login/ HTTP/9.9"), 400),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_request_gets_one_answer_with_the_usual_headers_and_one_log_line(send, name):
    data, status = REFUSED[name]
    answer, logged = send(data)
    assert statuses(answer) == [status]
    head = answer.partition(b"\r\n\r\n")[0]
    for header in (
        b"\r\nContent-Security-Policy: default-src 'none'; ",
        b"\r\nX-Content-Type-Options: nosniff",
    ):
        assert header in head
    assert b"no-store" in head
    assert len(logged) == 1 and len(logged[0]) < 1000


@pytest.mark.parametrize("name", NOT_HTTP)
def test_invalid_http_gets_one_answer_and_one_log_line(send, name):
    data, status = NOT_HTTP[name]
    answer, logged = send(data)
    assert statuses(answer) == [status]
    assert len(logged) == 1 and len(logged[0]) < 1000


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (get("Content-Type: text/plain; charset=idna", line="GET /login/?next=/%ff HTTP/1.1"), 200),
        (get("Content-Type: a/b; charset*=none''x"), 200),
        (get("Content-Type: a/b; charset*=none''x", line="GET /healthz HTTP/1.1"), 200),
        # From a client, passed on by a proxy like any header.
        (get("SCRIPT_NAME: /x"), 200),
        (get("SCRIPT_NAME: /login", "PATH_INFO: /x"), 200),
        # What real software sends.
        (post(kind=f"{FORM}; charset=utf8"), 403),
        (post(kind=f"{FORM};charset=UTF-8"), 403),
        (post(kind=f'{MULTIPART}; charset="US-ASCII"', body=PARTS), 403),
        (post(kind=f"{FORM}; charset=x-unknown"), 403),
        (post("Content-Length:   7 ", length=False), 403),
        (post("Transfer-Encoding: Chunked", body="7;a=b\r\nlogin=a\r\n0\r\nX: y\r\n\r\n", length=False), 403),
        (get(host="LOCALHOST:443"), 200),
        (get("Content-Length: 0"), 200),
    ],
)
def test_unusual_but_valid_request_is_answered(send, data, status):
    answer, logged = send(data)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert len(logged) == (status == 403)  # the reason: a missing token


def test_half_closed_connection_without_a_request_is_not_logged(send):
    for data in (b"", b"GET /login/ HTT", b"GET /login/ HTTP/1.1\r\nHost: local"):
        assert send(data) == (b"", [])
