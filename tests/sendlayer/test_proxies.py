"""The dashboard behind a real nginx and Caddy, configured as in deploy/."""

import re
import socket
import ssl
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.test import Client

from tests.http import at_once, sign_in, smtp_url
from tests.proxies import NAME, caddy, nginx
from tests.servers import collect_static, free_port, running

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

SECONDS = 60
SLOW = 24  # clients of each kind


@contextmanager
def dashboard(folder, *binds, **environment):
    """Run the dashboard with one worker of two threads, https only; yield its address and log."""
    collect_static()
    port, log = free_port(), folder / "web.log"
    given = {
        "HTTPS_ONLY": "yes",
        "ALLOWED_HOSTS": NAME,
        "TRUSTED_PROXIES": "127.0.0.1",
        "WEB_WORKERS": "1",
        "WEB_THREADS": "2",
    }
    listening = [word for bind in (f"127.0.0.1:{port}", *binds) for word in ("-b", bind)]
    command = ["-m", "gunicorn", *listening, "tests.sendlayer.large"]
    with running(command, port=port, log=log, **(given | environment)):
        yield SimpleNamespace(address=f"127.0.0.1:{port}", log=log)


@pytest.fixture(scope="module")
def served(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock(), dashboard(tmp_path_factory.mktemp("web")) as site:
        yield site


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(request, served, tmp_path_factory):
    with request.param(tmp_path_factory.mktemp("proxy"), served.address) as proxy:
        yield proxy


def connect(proxy, source="127.0.0.1"):
    plain = socket.create_connection(("127.0.0.1", proxy.https), SECONDS, source_address=(source, 0))
    return proxy.tls.wrap_socket(plain, server_hostname=NAME)


def exchange(proxy, line, *headers, body=b"", source="127.0.0.1", connection=None):
    """Send a request; return its status, its head and its body."""
    lines = [line, f"Host: {NAME}", *headers, "Connection: close"]
    with connection or connect(proxy, source) as opened:
        opened.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        answer = b""
        # nginx 1.26 resets the connection of a body that never came, once its refusal is out.
        with suppress(ConnectionResetError):
            while part := opened.recv(65_536):
                answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return SimpleNamespace(status=int(head.split(b" ", 2)[1]), head=head.decode().lower(), body=body.decode())


def get(proxy, path, *headers, **kwargs):
    return exchange(proxy, f"GET {path} HTTP/1.1", *headers, **kwargs)


def logged(site, offset, pattern):
    """Wait until the log since `offset` matches the pattern, shortly after the answer; return that part."""
    deadline = time.monotonic() + SECONDS
    while not re.search(pattern, text := site.log.read_bytes()[offset:].decode(), re.M):
        assert time.monotonic() < deadline, f"{pattern} is not in {text}"
        time.sleep(0.1)
    return text


def pages_come(proxy):
    return [get(proxy, "/login/").status for _ in range(5)] == [200] * 5


def is_waiting(client) -> bool:
    """Whether this connection has neither been answered nor closed."""
    client.setblocking(False)
    try:
        client.recv(1)
    except ssl.SSLWantReadError:
        return True
    except ConnectionResetError:
        pass
    return False


HALVES = [
    b"GET /login/ HTTP/1.1\r\nHost: mail.exa",
    f"POST /login/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 999\r\n\r\nlogin=".encode(),
    f"POST /login/ HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nlog\r\n".encode(),
]


def test_slow_clients_delay_no_other(proxy):
    """Pages come before the last of them is given up, which would free its thread."""
    with ExitStack() as opened:
        clients = [opened.enter_context(connect(proxy)) for _ in range(len(HALVES) * SLOW)]
        for client, half in zip(clients, HALVES * SLOW, strict=True):
            client.sendall(half)
        assert pages_come(proxy)
        assert any(map(is_waiting, clients[-len(HALVES) :]))


def test_slow_readers_of_large_answers_delay_no_other(served, tmp_path):
    """More readers of 32 MB each than there are threads; all are still served in the end."""
    with nginx(tmp_path, served.address) as proxy, ExitStack() as opened:
        offset = len(served.log.read_bytes())
        readers = [opened.enter_context(connect(proxy)) for _ in range(5)]
        for reader in readers:
            reader.sendall(f"GET /large HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        logged(served, offset, r"(?s)(?:GET /large.*?){5}")
        assert pages_come(proxy)
        for reader in readers:
            assert sum(map(len, iter(partial(reader.recv, 1 << 20), b""))) > 32 * 1024 * 1024


def test_proxy_passes_headers_and_cookies_and_redirects_to_tls(proxy):
    page = get(proxy, "/login/")
    assert page.status == 200 and "strict-transport-security: max-age=31536000\r\n" in page.head
    for header in ("content-security-policy", "x-content-type-options", "x-request-id", "set-cookie"):
        assert page.head.count(f"\r\n{header}:") == 1
    assert re.search(r"set-cookie: __host-csrf=[^\r]*; secure", page.head)
    assert get(proxy, "/healthz").status == 200
    plain = socket.create_connection(("127.0.0.1", proxy.http), SECONDS)
    redirect = exchange(proxy, "GET /login/?next=/ HTTP/1.1", connection=plain)
    assert redirect.status in (301, 308) and f"location: https://{NAME}" in redirect.head


def test_proxy_hides_metrics_and_readyz(proxy):
    for path in ("/metrics", "/readyz", "//metrics", "/%6detrics", "/x/../readyz"):
        assert get(proxy, path).status == 404


@pytest.mark.parametrize("is_away", [False, True], ids=["up", "away"])
@pytest.mark.parametrize("start", [nginx, caddy], ids=["nginx", "caddy"])
def test_proxy_and_dashboard_log_no_key_of_a_link(served, tmp_path, start, is_away):
    key, before = "hand-over-key-of-this-test", served.log.stat().st_size
    path = f"/hand-over/key/{key}/"
    with start(tmp_path, f"127.0.0.1:{free_port()}" if is_away else served.address) as proxy:
        assert get(proxy, path).status == (502 if is_away else 410)
        post = exchange(proxy, f"POST {path} HTTP/1.1", "Content-Length: 0")
        assert post.status == (502 if is_away else 410)
        assert exchange(proxy, f"BREW {path} HTTP/1.1", body=b"x").status in (405, 502)
        plain = socket.create_connection(("127.0.0.1", proxy.http), SECONDS)
        assert get(proxy, path, connection=plain).status in (301, 308)
    if not is_away:
        assert key not in logged(served, before, '"POST /hand-over/key/…/" 410 ')
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(written) >= 4
    assert [file.name for file in written if key.encode() in file.read_bytes()] == []


def test_proxy_replaces_forged_client_headers(proxy, served):
    before = served.log.stat().st_size
    forged = [
        "X-Forwarded-For: 198.51.100.9",
        "X-Forwarded-Proto: http",
        "X-Request-ID: forged",
        "SCRIPT_NAME: /x",
    ]
    page = get(proxy, "/login/", *forged, "X_Forwarded_For: 198.51.100.9", source="127.0.0.9")
    assert page.status == 200 and "x-request-id: forged" not in page.head
    assert "198.51.100.9" not in logged(served, before, r'^127\.0\.0\.9 "GET /login/" 200 ')


def test_guesser_behind_the_proxy_locks_out_no_other(proxy, alice):
    tries = [partial(_sign_in, proxy, f"nobody{number}@example.com", "127.0.0.11") for number in range(14)]
    assert any("Too many" in page for page in at_once(*tries))
    assert "not correct" in _sign_in(proxy, "alice@example.com", "127.0.0.12")


def _sign_in(proxy, email, source):
    token = "c" * 32
    body = f"login={email}&password=wrong-password&csrfmiddlewaretoken={token}".encode()
    form = "Content-Type: application/x-www-form-urlencoded"
    headers = [form, f"Cookie: __Host-csrf={token}", f"Origin: https://{NAME}", f"Content-Length: {len(body)}"]
    return exchange(proxy, "POST /login/ HTTP/1.1", *headers, body=body, source=source).body


@pytest.fixture
def label(alice, credential):
    """Send a form of Alice's in chunks: label(proxy, chunks) → the status."""
    session = sign_in(Client(), alice).cookies[settings.SESSION_COOKIE_NAME].value
    token = "c" * 32
    headers = [
        f"Cookie: __Host-session={session}; __Host-csrf={token}",
        f"X-CSRFToken: {token}",
        f"Origin: https://{NAME}",
        "Content-Type: application/x-www-form-urlencoded",
        "Transfer-Encoding: chunked",
    ]

    def send(proxy, chunks):
        line = f"POST {smtp_url(credential, 'label')} HTTP/1.1"
        return exchange(proxy, line, *headers, body=chunks).status

    send.headers = headers
    return send


WHOLE = b"6\r\nlabel=\r\n5\r\nwhole\r\n0\r\n\r\n"


def test_chunked_forms_are_passed_in_full_and_limited(proxy, label, credential):
    assert label(proxy, WHOLE) == 302
    credential.refresh_from_db()
    assert credential.label == "whole"
    assert label(proxy, b"2dc6c0\r\nlabel=" + b"x" * (3_000_000 - 6) + b"\r\n0\r\n\r\n") in (400, 413)
    credential.refresh_from_db()
    assert credential.label == "whole"


def test_chunked_forms_work_through_a_proxy_without_request_buffering(served, tmp_path, label, credential):
    streams = ("proxy_request_buffering on;", "proxy_request_buffering off;")
    path = smtp_url(credential, "label")
    with nginx(tmp_path, served.address, streams=streams) as proxy:
        assert label(proxy, WHOLE) == 302
        before = served.log.stat().st_size
        with connect(proxy) as half:
            lines = [f"POST {path} HTTP/1.1", f"Host: {NAME}", *label.headers]
            half.sendall("\r\n".join(lines).encode() + b"\r\n\r\n6\r\nlabel=\r\n")
            time.sleep(0.5)
        logged(served, before, f'"POST {path}" 400 ')
    credential.refresh_from_db()
    assert credential.label == "whole"


# More than nginx's 8 KB, but within one TLS record: nginx closes a connection without reading the rest of it.
LONG = "marker" * 1_500
REFUSED_BY_NGINX = [
    ("POST /login/ HTTP/1.1", "Content-Length: 3000000", 413),
    ("GET /login/ HTTP/1.1", "Host: other.example", 400),
    ("POST /login/ HTTP/1.1", "Content-Length: 5\r\nContent-Length: 6", 400),
    ("POST /login/ HTTP/1.1", "Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
    ("POST /login/ HTTP/1.1", "Transfer-Encoding: xchunked", 501),
    ("GET /login/ HTTP/1.1", "X: \0", 400),
    ("GET /login/ HTTP/1.1", "X: " + LONG, 400),
    ("GET /" + LONG + " HTTP/1.1", "X: 1", 414),
    ("GET /<script>marker HTTP/9.9", "X: 1", 505),
    ("<script>marker", "X: 1", 400),
]


def test_nginx_refuses_invalid_http_with_the_usual_headers_and_repeats_none_of_it(served, tmp_path):
    before = served.log.stat().st_size
    with nginx(tmp_path, served.address) as proxy:
        for line, header, status in REFUSED_BY_NGINX:
            answer = exchange(proxy, line, header)
            assert answer.status == status, (line[:50], header[:50])
            assert "\r\nx-content-type-options: nosniff" in answer.head
            assert "\r\ncontent-security-policy: default-src 'none'; " in answer.head
            assert "marker" not in answer.body
        assert get(proxy, "/healthz").status == 200
    assert logged(served, before, '"GET /healthz" 200 ').count('"') == 2


def test_proxy_reaches_the_dashboard_through_a_unix_socket(tmp_path):
    path = tmp_path / "web.sock"
    with dashboard(tmp_path, f"unix:{path}", TRUSTED_PROXIES="unix") as site:
        with nginx(tmp_path, f"unix:{path}") as proxy:
            assert get(proxy, "/login/", source="127.0.0.9").status == 200
        logged(site, 0, r'^127\.0\.0\.9 "GET /login/" 200 ')
