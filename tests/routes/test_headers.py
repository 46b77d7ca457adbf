"""Headers of every response: each route for each role, each kind of error, files, redirects."""

import re

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from credentials.models import Credential
from tests.factories import PASSWORD
from tests.http import sign_in, smtp_url
from tests.routes.table import routes
from tests.routes.world import ANONYMOUS, MANAGER, OWNER, STAFF
from vault import sealed_mode
from web.headers import CONTENT_SECURITY_POLICY, QR_CODE, WITHOUT_REFERRER

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ROLES = (ANONYMOUS, MANAGER, OWNER, STAFF)
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Of the routes that need others.
OWN = {
    QR_CODE: {
        "Content_Security_Policy": CONTENT_SECURITY_POLICY.replace("img-src 'self'", "img-src 'self' data:")
    },
    WITHOUT_REFERRER: {"Referrer_Policy": "no-referrer"},
}


@pytest.fixture(autouse=True)
def https_only(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31536000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True


@pytest.fixture
def alice(world):
    """The owner of the one domain of the world."""
    return User.objects.get(email=f"{OWNER}@example.com")


@pytest.fixture
def credential(world):
    return Credential.objects.get()


def complaints(response, *, file=False, **own):
    """Return the wrong or missing headers of a response over TLS; `own` are those of its route."""
    wanted = ALWAYS | {name.replace("_", "-"): value for name, value in own.items()}
    wanted["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains; preload"
    found = [name for name, value in wanted.items() if response.headers.get(name) != value]
    if "clipboard-write=(self)" not in response.headers.get("Permissions-Policy", ""):
        found.append("Permissions-Policy")
    if not re.fullmatch("[0-9a-f]{16}", response.headers.get("X-Request-ID", "")):
        found.append("X-Request-ID")
    if not file and "no-store" not in response.headers["Cache-Control"]:
        found.append("Cache-Control")
    for cookie in response.cookies.values():
        is_removed = cookie["max-age"] == 0
        if not is_removed and not (cookie["httponly"] and cookie["samesite"] == "Lax"):
            found.append(f"cookie {cookie.key}")
    return found


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_every_route_has_the_headers_for_every_role(route, world):
    for role in ROLES:
        for method in ("GET", "POST", "PUT"):
            with transaction.atomic():
                response = world.client(role).generic(method, world.path(route), secure=True)
                transaction.set_rollback(True)
            # A refused method reaches no page.
            own = OWN.get(route.name, {}) if method != "PUT" else {}
            assert complaints(response, **own) == [], (role, method, response.status_code)


def test_every_error_page_has_the_headers(alice, credential, monkeypatch):
    def crash(*args, **kwargs):
        raise RuntimeError

    client = sign_in(Client(enforce_csrf_checks=True, raise_request_exception=False), alice)
    monkeypatch.setattr("credentials.views.domain_list.render", crash)
    answers = {
        400: client.get("/login/", headers={"Host": "evil.test"}, secure=True),
        403: client.post(smtp_url(credential, "delete"), secure=True),
        404: client.get("/nothing/", secure=True),
        405: client.generic("TRACE", "/login/", secure=True),
        500: client.get("/domains/", secure=True),
    }
    for _ in range(40):
        answers[429] = Client().post("/login/", {"login": alice.email, "password": PASSWORD[1:]}, secure=True)
    monkeypatch.setattr(sealed_mode, "_problem", "the key is gone")
    answers[503] = client.get("/", secure=True)
    assert {status: answer.status_code for status, answer in answers.items()} == {
        status: status for status in answers
    }
    assert {status: complaints(answer) for status, answer in answers.items()} == dict.fromkeys(answers, [])


@pytest.mark.parametrize(("host", "status"), [("testserver", 301), ("evil.test", 400)])
def test_plain_http_is_redirected_or_refused(client, host, status):
    response = client.get("/login/", headers={"Host": host})
    assert response.status_code == status
    assert all(response.headers[name] == value for name, value in ALWAYS.items())
    assert "Strict-Transport-Security" not in response.headers  # RFC 6797, section 7.2


def test_csrf_referer_check_accepts_own_pages_only(alice, credential):
    client = sign_in(Client(enforce_csrf_checks=True), alice)
    page = client.get(smtp_url(credential, "page"), secure=True).content.decode()
    fields = {"csrfmiddlewaretoken": re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]}
    for headers, status in (
        ({"Referer": f"https://testserver{smtp_url(credential.domain)}"}, 302),
        ({"Origin": "https://testserver"}, 302),
        ({}, 403),
        ({"Referer": "https://evil.test/"}, 403),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
    ):
        url = smtp_url(credential, "label")
        assert client.post(url, fields | {"label": "x"}, secure=True, headers=headers).status_code == status


def test_sign_out_clears_the_browser_cache(client, alice):
    sign_in(client, alice)
    assert "Clear-Site-Data" not in client.get("/logout/", secure=True).headers
    assert client.post("/logout/", secure=True).headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in client.post("/logout/", secure=True).headers


def test_admin_sign_out_clears_the_browser_cache(client, alice):
    alice.is_staff = True
    alice.save()
    answer = sign_in(client, alice).post("/admin/logout/", secure=True)
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
