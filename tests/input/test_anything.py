"""Any route, method and role, with any bytes: no server error, no secret, no change by a refused request.

Drawn by Hypothesis, the same in each `make test`; INPUT_FACTOR=20 tries more, and others each time.
"""

import json
import re
from functools import cache
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.input import figures
from tests.input.judging import Browser
from tests.locks import taken_back
from tests.routes.conftest import no_check_begins  # noqa: F401  (a fixture)
from tests.routes.table import routes
from tests.routes.world import OWNER, ROLES, STAFF, make_world

pytestmark = pytest.mark.django_db


def limits(examples):
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=examples * figures.FACTOR,
        derandomize=figures.FACTOR == 1,
        deadline=None,
        database=None,
        suppress_health_check=checks,
    )


ROUTES = routes()
METHODS = ["GET", "POST", "POST", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "FOO"]
MOST = "who may do most there"
# Routes that answer with a password.
SHOWS = {"credentials:reveal", "credentials:copy"}
NAMES = re.compile(r'<(?:input|select|textarea|button)[^>]* name="([^"]+)"')
# Fields of the forms of other pages.
QUERY = [
    "q",
    "page",
    "at",
    "current",
    "new",
    "state",
    "also",
    "next",
    "code",
    "error",
    "p",
    "o",
    "e",
    "tag",
    "seen",
    "sort",
    "_popup",
    "_to_field",
]
FIELDS = [
    "reason",
    "action",
    "_selected_action",
    "credential",
    "key",
    "seen",
    "sure",
    "next",
    "name",
    "label",
    "networks",
    "emails",
    "role",
    "_method",
]

NASTY = [
    *(
        "",
        "\x00",
        "a\x00b",
        "\ud800",
        "\udfff x",
        "\u202e",
        "\u200b",
        "\ufeff",
        "\x1b[2J",
        "\r\nX: y",
        "é",
        "💩",
    ),
    *(
        "9" * 5000,
        "-1",
        "0",
        "1e999",
        "NaN",
        "٣",
        "0x1f",
        "None",
        "null",
        "[]",
        "{}",
        '{"a":' * 2000,
        "true",
        "on",
    ),
    *(
        "x" * 100_000,
        "é" * 5000,
        "<script>alert(1)</script>",
        "{{7*7}}",
        "%s%n",
        "' OR 1=1 --",
        "../../etc/passwd",
    ),
    *(
        "0001-01-01",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-02-30",
        "24:61",
        "10000-01-01",
    ),
    *(
        "http://[",
        "//evil.test",
        "javascript:x",
        "a@b\n.example",
        "a@[127.0.0.1]",
        "::1%eth0",
        "10.0.0.0/33",
        "0/0",
    ),
    *(
        "owner",
        "viewer",
        "00000000-0000-0000-0000-000000000000",
        "sl.example.com",
        "xn--a.com",
        "раypal.com",
        "1",
    ),
]
values = st.sampled_from(NASTY) | st.text(max_size=40)
pairs = st.lists(st.tuples(st.integers(0, 50), values), max_size=6)
headers = st.dictionaries(
    st.sampled_from(
        ["HX-Request", "HX-Current-URL", "HX-Prompt", "Referer", "Accept", "Origin", "User-Agent", "Cookie"]
    ),
    st.sampled_from(
        ["true", "text/plain", "http://[", "a\x00b", "http://testserver/domains/?page=\x00", "é" * 500, "*"]
    ),
    max_size=3,
)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def query(fields, names) -> str:
    return "&".join(f"{quote(names[number % len(names)])}={quote(encoded(value))}" for number, value in fields)


def form(fields, names):
    return query(fields, names).encode(), "application/x-www-form-urlencoded"


def multipart(fields, names):
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (names[number % len(names)].encode(), b'; filename="a"' if number > 40 else b"", encoded(value))
        for number, value in fields
    ]
    return b"".join(parts) + b"--x--\r\n", "multipart/form-data; boundary=x"


def as_json(fields, names):
    return json.dumps({names[number % len(names)]: value for number, value in fields}), "application/json"


TYPES = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/a; charset=\xff",
    "",
    "x",
]
bodies = st.one_of(
    *(st.tuples(st.just(kind), pairs) for kind in (form, form, multipart, as_json)),
    st.tuples(st.sampled_from(TYPES), st.binary(max_size=300)),
)


@pytest.fixture
def world(db):
    return make_world()


@pytest.fixture
def names_of(world):
    """Return a function from a route to the field names of its page and of some others."""

    @cache
    def names_of(route):
        browser = world.client(STAFF if route.name.startswith("admin:") else OWNER)
        with taken_back():
            page = b"".join(browser.get(world.path(route))).decode()
        return sorted({*FIELDS, *NAMES.findall(page)})

    return names_of


def browser_of(world, role, **options):
    browser = Browser(**options)
    if role in world.sessions:
        browser.cookies[django_settings.SESSION_COOKIE_NAME] = world.sessions[role]
    return browser


def spoilt(path, world, route, parts) -> str:
    """Return a route's path with some of its values replaced."""
    for part, text in zip(route.parts, parts, strict=False):
        if text:
            path = path.replace(world.parts[part], quote(encoded(text[:3000]), safe=""))
    return path


@limits(60)
@given(
    route=st.sampled_from(ROUTES),
    role=st.sampled_from([MOST] * 5 + list(ROLES)),
    method=st.sampled_from(METHODS),
    parts=st.lists(st.just("") | values, max_size=3),
    asked=pairs,
    body=bodies,
    headers=headers,
    checks=st.sampled_from([False, False, False, True]),
)
def test_random_requests_cause_no_server_error(
    world, names_of, route, role, method, parts, asked, body, headers, checks
):
    if role == MOST:
        role = STAFF if route.name.startswith("admin:") else OWNER
    path = spoilt(world.path(route), world, route, parts)
    kind, content = body
    content, kind = kind(content, names_of(route)) if callable(kind) else (content, kind)
    if "Cookie" in headers and role in world.sessions:
        headers.pop("Cookie")
    is_shown = method == "POST" and route.name in SHOWS
    browser = browser_of(world, role, enforce_csrf_checks=checks, is_shown_passwords=is_shown)
    with taken_back():
        browser.generic(
            method, path, content, content_type=kind, headers=headers, QUERY_STRING=query(asked, QUERY)
        )


@limits(10)
@given(
    path=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
    role=st.sampled_from(ROLES),
)
def test_random_paths_cause_no_server_error(world, path, role):
    browser = browser_of(world, role)
    with taken_back():
        for start in ("/", "/domains/sl.example.com/", "/admin/", "/account/", "/static/"):
            browser.get(start + quote(encoded(path)))
