"""The dashboard in production: https only, behind a trusted proxy, static files with hashed names."""

import os
import re
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from types import SimpleNamespace

import pytest

from tests.servers import ROOT, collect_static, free_port, running

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

PRODUCTION = {"HTTPS_ONLY": "yes", "ALLOWED_HOSTS": "mail.example.com", "TRUSTED_PROXIES": "127.0.0.1"}


@pytest.fixture
def get(tmp_path):
    """Ask a running site through its proxy: get(path, **headers) → status, headers, body, cookies."""
    collect_static()
    port = free_port()

    def get(path, *, host="mail.example.com", proto="https"):
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": proto})
            response = connection.getresponse()
            cookies = response.headers.get_all("Set-Cookie", [])
            body = response.read().decode()
            return SimpleNamespace(status=response.status, headers=response.headers, body=body, cookies=cookies)

    with running(
        ["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=tmp_path / "log", PORT=str(port), **PRODUCTION
    ):
        yield get


def test_https_cookies_static_files_and_probes(get):
    page = get("/login/")
    assert page.status == 200 and page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    [csrf] = page.cookies
    assert re.match("__Host-csrf=.*; HttpOnly; .*; Path=/; SameSite=Lax; Secure", csrf) and "Domain" not in csrf
    hashed = get(re.search(r'href="(/static/css/base\.[0-9a-f]{12}\.css)"', page.body)[1])
    assert "immutable" in hashed.headers["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in hashed.headers
    plain = get("/static/css/base.css")
    assert "immutable" not in plain.headers["Cache-Control"]
    for file in (hashed, plain):
        assert file.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert file.headers["X-Content-Type-Options"] == "nosniff" and not file.cookies
        assert file.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        # A page loads some 20 of them, so their headers count for the first load.
        assert sum(len(name) + len(value) + 4 for name, value in file.headers.items()) < 700
    assert get("/login/", proto="http").status == 301
    assert get("/login/", host="10.0.0.1").status == 400
    for path, kind in (("/healthz", "text/plain; charset=utf-8"), ("/readyz", "application/json")):
        probe = get(path, host="10.0.0.1:8000", proto="http")
        assert (probe.status, probe.headers["Content-Type"]) == (200, kind)
        assert "Strict-Transport-Security" in get(path).headers
    for folder in ("/static/", "/static/css/"):
        assert get(folder).status == 404


@pytest.mark.parametrize("proto", ["https", "HTTPS", "http,https"])
def test_dual_stack_socket_trusts_its_ipv4_proxy(tmp_path, proto):
    collect_static()
    port = free_port()
    listen = {"WEB_BIND": f"[::]:{port}", "WEB_WORKERS": "1"}
    with (
        running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=tmp_path / "log", **PRODUCTION, **listen),
        closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection,
    ):
        headers = {
            "Host": "mail.example.com",
            "X-Forwarded-Proto": proto,
            "X-Forwarded-For": "203.0.113.8:51234",
        }
        connection.request("GET", "/login/", headers=headers)
        response = connection.getresponse()
        assert (response.status, len(response.read()) > 0) == (200, True)
        connection.request("GET", "/login/", headers={"Host": "mail.example.com"})
        assert connection.getresponse().status == 301
    assert '203.0.113.8 "GET /login/" 200' in (tmp_path / "log").read_text()


def test_deployment_check_finds_nothing():
    server = {"EMAIL_URL": "smtp+tls://mail.example.com:587", "SMTP_HOST": "smtp.example.com"}
    environment = os.environ | PRODUCTION | server
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    # The silenced checks recommend HSTS beyond this host.
    assert (run.returncode, run.stdout) == (0, "System check identified no issues (2 silenced).\n"), run.stderr


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, "max-age=31536000"),
        ({"HSTS_INCLUDE_SUBDOMAINS": "yes"}, "max-age=31536000; includeSubDomains"),
        (
            {"HSTS_INCLUDE_SUBDOMAINS": "yes", "HSTS_PRELOAD": "yes"},
            "max-age=31536000; includeSubDomains; preload",
        ),
    ],
)
def test_hsts_covers_this_host_only_by_default(given, wanted):
    program = (
        "import django; django.setup(); from django.test import Client;"
        "print(Client().get('/healthz', secure=True)['Strict-Transport-Security'])"
    )
    environment = os.environ | PRODUCTION | given | {"DJANGO_SETTINGS_MODULE": "sendlayer.settings"}
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert said.stdout.strip() == wanted, said.stderr


@pytest.mark.parametrize(("https", "prefix"), [("yes", "__Host-"), ("no", "")])
def test_cookies_are_bound_to_this_host_under_tls(https, prefix):
    program = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.THEME_COOKIE_NAME, s.SESSION_COOKIE_SECURE,"
        "s.MESSAGE_STORAGE)"
    )
    environment = os.environ | {"HTTPS_ONLY": https, "DJANGO_SETTINGS_MODULE": "sendlayer.settings"}
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    names = f"{prefix}session {prefix}csrf {prefix}theme {https == 'yes'}"
    # Messages have no cookie of their own.
    assert said.stdout.strip() == f"{names} django.contrib.messages.storage.session.SessionStorage"
