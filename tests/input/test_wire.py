"""Raw requests to a real server that trusts its peer as a proxy with TLS."""

import re
import socket
from contextlib import suppress

import pytest
from django.conf import settings

from audit.models import Event
from tests.http import sign_in, smtp_url
from tests.input.catalogue import row, rows
from tests.input.judging import Browser, judge
from tests.rows import kept
from tests.servers import collect_static, free_port, running

# A writing test would wait for SQLite's lock and fail.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SECONDS = 60  # far beyond what a busy machine needs
PROXY, STRANGER = "127.0.0.1", "127.0.0.2"
TLS = "X-Forwarded-Proto: https"
GOOD = f"GET /login/ HTTP/1.1\r\nHost: localhost\r\n{TLS}\r\nConnection: close\r\n\r\n".encode()


@pytest.fixture(scope="module")
def port(django_db_setup, django_db_blocker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wire")
    collect_static()
    port, log = free_port(), folder / "log"
    environment = {
        "PORT": str(port),
        "HTTPS_ONLY": "yes",
        "TRUSTED_PROXIES": PROXY,
        "ALLOWED_HOSTS": "localhost",
    }
    with django_db_blocker.unblock():
        server = running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=log, **environment)
        with server as process:
            yield port
            assert process.poll() is None
    for fault in ("Internal Server Error", "Error handling request", "WORKER TIMEOUT"):
        assert fault not in log.read_text()


def test_long_cookies_and_content_type_are_parsed_in_linear_time(send):
    """100 headers of 8 KB, as many as gunicorn takes: it joins those of one name.

    Parsed in quadratic time, the first cookie alone would outlast the socket's timeout by minutes.
    """
    cookies = [f"Cookie: {chr(92) * 8_000}".encode() for _ in range(90)]
    content_type = b'Content-Type: a/b;c="' + b";" * 8_000
    lines = [b"GET /login/ HTTP/1.1", b"Host: localhost", TLS.encode(), b"Connection: close", content_type]
    cookies[0], cookies[-1] = b'Cookie: a="' + b"\\" * 8_000, cookies[-1] + b'"'
    assert statuses(send(b"\r\n".join([*lines, *cookies, b"", b""]))) == [200]


@pytest.fixture
def send(port):
    """Send bytes; judge and return the answer."""

    def send(data: bytes, source=PROXY) -> bytes:
        before = kept()
        with socket.create_connection(("127.0.0.1", port), SECONDS, source_address=(source, 0)) as connection:
            answer = _exchange(connection, data)
        for status in statuses(answer) or [0]:
            judge(400 if status == 501 else status, answer, before)  # 501: RFC 9112 section 6.1
        return answer

    yield send
    assert statuses(send(GOOD)) == [200]


def _exchange(connection, data) -> bytes:
    answer = b""
    with suppress(OSError):  # disconnected while sending (then ENOTCONN), after an answer
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    with suppress(OSError):  # reset, or too slow
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] ([0-9]{3}) ", answer, re.MULTILINE)]


def request(line="GET /login/ HTTP/1.1", *headers, host="localhost", body="") -> bytes:
    lines = [line, *([] if host is None else [f"Host: {host}"]), TLS, *headers, "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


def post(*headers, body="", path="/login/") -> bytes:
    form = "Content-Type: application/x-www-form-urlencoded"
    return request(f"POST {path} HTTP/1.1", form, *headers, body=body)


CHUNKED = "Transfer-Encoding: chunked"
SECOND = "GET /domains/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


@rows(
    "data",
    U22=request(f"GET /{'x' * 9000} HTTP/1.1"),
    U21b=request("GET /%2e%2e/%2e%2e/etc/passwd%00 HTTP/1.1"),
    H5=request(host=""),
    H5b=request(host=None),
    H5c=request("GET /login/ HTTP/1.1", "Host: evil.test"),
    H5d=request(host="evil.test"),
    H5e=request(host="localhost\x00"),
    H5f=request("GET http://evil.test/login/ HTTP/1.1", host="evil.test"),
    H9b=request("GET /login/ HTTP/1.1", "X-Forwarded-For: " + "1.2.3.4, " * 6000),
    C3b=request("GET /domains/ HTTP/1.1", "Cookie: __Host-session=" + "a" * 10_000),
    Y6b=post("Content-Encoding: gzip", "Content-Length: 4", body="\x1f\x8b\x08\x00"),
    W30=post("Content-Length: 5", CHUNKED, body="0\r\n\r\n" + SECOND),
    W31=post("Content-Length: 5", "Content-Length: 6", body="login" + SECOND),
    W32=post("Content-Length: -1", body=SECOND),
    W33=post("Content-Length: +5", body="login"),
    W34=post("Content-Length: 5,5", body="login"),
    W35=post("Content-Length: 99999999999999999999", body="login"),
    W35b=post("Content-Length: " + "9" * 5000, body="login"),
    W36=post("Transfer-Encoding: chunked, identity", body="0\r\n\r\n" + SECOND),
    W37=post("Transfer-Encoding: xchunked", body="0\r\n\r\n" + SECOND),
    W38=post("Transfer-Encoding : chunked", body="0\r\n\r\n" + SECOND),
    W39=post(CHUNKED, body="ZZ\r\nx\r\n0\r\n\r\n"),
    W40=post(CHUNKED, body="-5\r\nlogin\r\n0\r\n\r\n"),
    W41=post(CHUNKED, body="5;" + "x" * 20_000),
    W42=request("GET /login/ HTTP/1.1", "X-A: a\x00b"),
    W43=request("GET /login/ HTTP/1.1", "X A: b"),
    W44=request("GET /login/ HTTP/1.1", "X-A: b\r\n folded: c"),
    W45=b"GET /login/ HTTP/1.1\nHost: localhost\nX-A: b\n\n",
    W46=b"GET /login/ HTTP/1.1\rHost: localhost\r\r",
    W47=b"GET /login/\r\n",
    W48=b"GET /login/ HTTP/0.9\r\n\r\n",
    W49=b"GET /login/ HTTP/9.9\r\nHost: localhost\r\n\r\n",
    W50=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    W51=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    W52=b"\x00" * 10_000,
    W53=b"A" * 100_000,
    W54=b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + GOOD,
    W55=request("GET /login/ HTTP/1.1", *(f"X-{number}: x" for number in range(200))),
    W56=request("GET /login/ HTTP/1.1", "X-A: " + "x" * 20_000),
    W57=request("OPTIONS * HTTP/1.1"),
    W58=request("CONNECT evil.test:443 HTTP/1.1"),
    W59=request("gEt /login/ HTTP/1.1"),
    W60=request("GET  /login/  HTTP/1.1"),
    W61=request("GET /login/\x00 HTTP/1.1"),
    W62=request("GET \xff\xfe HTTP/1.1"),
    W63=request("GET //evil.test/.. HTTP/1.1"),
    W64=request("GET http://[ HTTP/1.1"),
    W65=request("GET /login/?\xff=\x80 HTTP/1.1"),
    W66=request("GET /login/ HTTP/1.1", "Expect: 200-nothing"),
    W67=request("GET /login/ HTTP/1.1", "Upgrade: h2c, websocket", "HTTP2-Settings: x"),
    W68=request("GET /login/ HTTP/1.1", "Range: bytes=9-1,-,x"),
    W69=request("GET /static/css/base.css HTTP/1.1", "Range: bytes=99999999999999999999-0"),
    W70=request("GET /login/ HTTP/1.1", "If-None-Match: \xff", "If-Modified-Since: \xff", "Accept: \xff"),
    W71=request("GET /login/ HTTP/1.1", "Script-Name: /x", "Remote-User: alice@example.com"),
    W72=request("GET /login/ HTTP/1.1", "Cookie: " + "; ".join(f"a{number}=\xff" for number in range(900))),
)  # fmt: skip
def test_raw_requests_get_one_answer_and_no_server_error(send, data):
    answer = send(data)
    assert len(statuses(answer)) <= 1 or b"HTTP/1.1 100" in answer
    assert b"root:" not in answer


# Requests that must be refused.
@rows(
    "data, wanted",
    U21=(request("GET /static/../sendlayer/settings.py HTTP/1.1"), {404}),
    W80=(request(f"GET /{'x' * 9000} HTTP/1.1"), {400, 414}),
    W81=(request(host=""), {400}),
    W82=(request(host=None), {400}),
    W83=(request(host="evil.test"), {400}),
    W84=(post("Content-Length: 5", CHUNKED, body="0\r\n\r\n" + SECOND), {400}),
    W85=(post("Content-Length: 5", "Content-Length: 6", body="login" + SECOND), {400}),
    W86=(request("GET /login/ HTTP/1.1", "X-A: a\x00b"), {400}),
    W87=(post("Content-Encoding: gzip", "Content-Length: 4", body="\x1f\x8b\x08\x00"), {415}),
    W88=(post(CHUNKED, body="5\r\nlogin\r\n0\r\n\r\n"), {403}),
    W89=(request("GET /login/ HTTP/1.1", "Host: evil.test"), {400}),
)  # fmt: skip
def test_malformed_raw_requests_are_refused(send, data, wanted):
    assert set(statuses(send(data))) <= wanted


@row("H11")
def test_untrusted_client_can_not_claim_https(send):
    assert statuses(send(request(), source=STRANGER)) == [301]
    assert statuses(send(request())) == [200]


@row("H12")
@pytest.mark.django_db(transaction=True)
def test_headers_with_underscores_are_dropped(send, alice, credential):
    cookies = f"__Host-session={_session_of(alice)}; __Host-csrf={'c' * 32}"
    fields = [
        "Cookie: " + cookies,
        f"X-CSRFToken: {'c' * 32}",
        "Origin: https://localhost",
        "Content-Length: 7",
    ]
    for forged in ("X_Forwarded_For: 198.51.100.9", "Remote_Addr: 198.51.100.9"):
        sent = post(*fields, forged, body="label=x", path=smtp_url(credential, "label"))
        assert statuses(send(sent)) == [302]
    assert {event.ip for event in Event.objects.filter(tag="credential.labelled")} <= {PROXY}
    assert Event.objects.latest("pk").ip == PROXY


def _session_of(user) -> str:
    return sign_in(Browser(), user).cookies[settings.SESSION_COOKIE_NAME].value
