"""Logs: refused requests, request ids, lines and JSON, no secrets."""

import base64
import io
import json
import logging
import re
import sys
from contextlib import closing
from http.client import HTTPConnection

import pytest
from django.db import IntegrityError, connection

from accounts.models import User
from credentials import passwords
from tests.http import smtp_url, text
from tests.leaks import Search
from tests.servers import collect_static, free_port, running
from vault import sealed_mode
from web import request_id as tracing
from web.logs import Json, Lines


@pytest.fixture
def console(monkeypatch):
    """Return what the configured handler writes."""
    (handler,) = [found for found in logging.getLogger().handlers if type(found) is logging.StreamHandler]
    monkeypatch.setattr(handler, "stream", output := io.StringIO())
    monkeypatch.setattr(handler, "level", logging.NOTSET)
    return output


def test_keys_of_mailed_links_are_not_logged(client, db, console):
    paths = (
        "/invitations/key/tok:en/accept/",
        "/account/password/reset/key/1-tok:en/x/",
        "/hand-over/key/tok:en/",
    )
    for path in (*paths, "/plain/%0A"):
        client.get(path)
    client.post("/invitations/key/tok:en/join/", {"name": "x"})
    logged = console.getvalue()
    assert "tok:en" not in logged
    assert "/invitations/key/…/accept/" in logged and "/hand-over/key/…/" in logged
    assert "/plain/" in logged


def test_log_record_is_one_line_with_time_and_zone(client, db, console):
    client.get("/a%0aFORGED%1b[31m/")
    logging.getLogger("x").warning("typed: %s", "a\r\nFORGED\u2028")
    try:
        raise ValueError("a\nFORGED\x1b[31m")
    except ValueError:
        logging.getLogger("x").exception("it failed")
    lines = [line for line in console.getvalue().splitlines() if not line.startswith("  ")]
    traceback = console.getvalue().splitlines()[-2:]
    assert traceback == ["  ValueError: a", r"  FORGED\x1b[31m"]
    begin = re.compile(r"20\d\d-\d\d-\d\d [\d:.]{12}[+-]\d\d:\d\d (INFO|WARNING|ERROR) ")
    assert all(map(begin.match, lines))
    assert r"typed: a\r\nFORGED\u2028" in lines[-2]


@pytest.mark.one_database
@pytest.mark.django_db(transaction=True)
def test_path_can_not_forge_an_access_log_line(tmp_path):
    port, log = free_port(), tmp_path / "log"
    collect_static()
    with (
        running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=log, PORT=str(port)),
        closing(HTTPConnection("127.0.0.1", port, timeout=60)) as http,
    ):
        http.request("GET", "/a%0aFORGED%0d%1b%c2%85/")
        http.getresponse().read()
    assert r'"GET /a\nFORGED\r\x1b' in log.read_text()
    assert not [line for line in log.read_text().splitlines() if line.startswith("FORGED")]


@pytest.fixture
def as_json(console, monkeypatch):
    """The same as JSON: a function that returns the objects."""
    (handler,) = [found for found in logging.getLogger().handlers if type(found) is logging.StreamHandler]
    monkeypatch.setattr(handler, "formatter", Json())
    return lambda: [json.loads(line) for line in console.getvalue().splitlines()]


@pytest.fixture
def broken(as_alice, domain, monkeypatch):
    """Return the answer to a request that raises in the server."""

    def crash(*args, **kwargs):
        raise RuntimeError("over two\nlines")

    monkeypatch.setattr("credentials.views.tab.list_context", crash)
    as_alice.raise_request_exception = False
    return lambda **options: as_alice.get(smtp_url(domain), **options)


def test_error_page_shows_the_request_id(broken, console):
    response = broken()
    request_id = response.headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{16}", request_id)
    assert f"<code>{request_id}</code>" in text(response)
    assert re.search(
        rf"ERROR django.request Internal Server Error: .* request={request_id}\n", console.getvalue()
    )
    assert broken().headers["X-Request-ID"] != request_id


def test_sealed_page_shows_the_request_id(client, db, monkeypatch):
    monkeypatch.setattr(sealed_mode, "_problem", "the key is gone")
    response = client.get("/")
    assert response.status_code == 503 and f"<code>{response.headers['X-Request-ID']}</code>" in text(response)


def test_json_log_has_one_object_per_line_with_tracebacks(broken, as_json):
    request_id = broken().headers["X-Request-ID"]
    [line] = [line for line in as_json() if line["level"] == "ERROR"]
    assert line["logger"] == "django.request" and line["request_id"] == request_id
    assert "RuntimeError: over two\nlines" in line["traceback"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+\+00:00", line["at"])


@pytest.mark.parametrize(
    ("given", "peer", "is_taken"),
    [
        ("abc-1.2_Z", "10.0.0.1", True),
        ("x" * 64, "10.0.0.1", True),
        ("x" * 65, "10.0.0.1", False),
        ("", "10.0.0.1", False),
        ("a b", "10.0.0.1", False),
        ("<b>", "10.0.0.1", False),
        ("a\nERROR forged", "10.0.0.1", False),
        ("ü", "10.0.0.1", False),
        ("abc", "203.0.113.9", False),
    ],
)
def test_only_a_trusted_proxy_sets_the_request_id(client, db, settings, given, peer, is_taken):
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    response = client.get("/login/", headers={"X-Request-ID": given}, REMOTE_ADDR=peer)
    assert (response.headers["X-Request-ID"] == given) is is_taken


def test_log_record_outside_a_request_has_no_id(as_json):
    tracing.current.set(None)
    logging.getLogger("x").warning("quiet")
    [line] = [line for line in as_json() if line["logger"] == "x"]
    assert set(line) == {"at", "level", "logger", "message"}


def test_sql_is_logged_without_its_values(db, console, caplog):
    caplog.set_level(logging.DEBUG)
    connection.force_debug_cursor = True
    try:
        User.objects.filter(email="it's-alice@example.com", password="hash-of-it").first()
    finally:
        connection.force_debug_cursor = False
    assert 'FROM "accounts_user" WHERE' in console.getvalue() and "'…'" in console.getvalue()
    assert "alice" not in console.getvalue() + caplog.text and "hash-of" not in console.getvalue() + caplog.text


@pytest.mark.one_database
@pytest.mark.django_db(transaction=True)
def test_access_log_has_request_ids_and_json(tmp_path):
    port, log = free_port(), tmp_path / "log"
    environment = {"PORT": str(port), "LOG_FORMAT": "json", "TRUSTED_PROXIES": "127.0.0.1"}
    collect_static()
    with running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=log, **environment):
        for path in ("/login/", "/nothing/", "/static/css/base.css"):
            with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as http:
                http.request("GET", path, headers={"X-Request-ID": f"it-is{path.replace('/', '.')}"})
                http.getresponse().read()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    named = [(line["logger"], line["request_id"]) for line in lines if "request_id" in line]
    for path in ("it-is.login.", "it-is.nothing.", "it-is.static.css.base.css"):
        assert ("gunicorn.access", path) in named
    assert ("django.request", "it-is.nothing.") in named


@pytest.mark.parametrize("secret", ["{}", "\0USER\0{}", "a{}", "ab{}"])
def test_secret_search_of_the_test_suite_finds_a_password_in_any_record(secret):
    search, text = Search(), secret.format(passwords.generate())
    for logged in (text, base64.b64encode(text.encode()).decode()):
        search.handle(logging.makeLogRecord({"msg": "AUTH PLAIN %s", "args": (logged,)}))
    assert len(search.found) == 2


@pytest.mark.parametrize("formatter", [Lines, Json])
def test_traceback_hides_the_row_of_a_violated_constraint(formatter):
    row = "DETAIL:  Failing row contains (7, {SSHA512}sl_verifier,\nsl_second line)."
    try:
        try:
            raise IntegrityError(f'violates check constraint "named"\n{row}')
        except IntegrityError as error:
            raise RuntimeError("afterwards") from error
    except RuntimeError:
        record = logging.makeLogRecord({"msg": "it failed", "exc_info": sys.exc_info()})
    logged = formatter().format(record)
    assert "sl_verifier" not in logged and "sl_second" not in logged
    assert "named" in logged and "afterwards" in logged
