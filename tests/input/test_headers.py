"""H, C and M: headers, cookies, requests forged elsewhere, methods. What a client can't send: test_wire.py."""

import pytest
from django.test import Client

from audit.models import Event
from tests import factories
from tests.http import sign_in, smtp_url, text
from tests.input.catalogue import row, rows
from tests.input.judging import Browser

pytestmark = pytest.mark.django_db
SPOKEN_BY_HTMX = ["HX-Current-URL", "HX-Target", "HX-Trigger", "HX-Prompt", "Referer", "User-Agent", "Accept"]


@rows(
    "host",
    H1="evil.test",
    H2="testserver:80@evil.test",
    H3="testserver:abc",
    H4="[::1]",
    H4b="testserver\x00.evil.test",
    H4c="testserver/..",
    H4d="xn--" + "a" * 5000,
)
def test_another_host_is_refused(owner, host):
    for path in ("/login/", "/domains/", "/nothing/"):
        assert owner.get(path, headers={"Host": host}).status_code == 400


@row("H7")
def test_links_and_redirects_ignore_a_forwarded_host(visitor, owner):
    forged = {"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test", "X-Forwarded-Server": "evil.test"}
    assert "evil.test" not in visitor.get("/domains/", headers=forged)["Location"]
    assert "evil.test" not in text(owner.get("/domains/", headers=forged))


@rows("value", H8="<script>", H9="198.51.100.1, " * 3500, H10="127.0.0.1")
def test_forwarded_address_of_a_client_is_ignored(owner, credential, value):
    owner.post(smtp_url(credential, "label"), {"label": "x"}, headers={"X-Forwarded-For": value})
    assert Event.objects.latest("pk").ip == "127.0.0.1"
    assert text(owner.get("/domains/sl.example.com/activity/")).count(value) <= (value == "127.0.0.1")


@rows(
    "value",
    C1="../../etc/passwd",
    C2='"\\001' + "a" * 31 + '"',
    C2b='"\\000' + "a" * 31 + '"',
    C2c="\\377\\376" + "é" * 20,
    C3="a" * 10_000,
)
def test_made_up_session_is_anonymous(visitor, credential, value):
    for name in ("session", "csrf", "theme", "messages", "sessionid"):
        header = {"Cookie": f"{name}={value}"}
        assert visitor.get("/domains/", headers=header)["Location"].startswith("/login/")
        assert visitor.get("/login/", headers=header).status_code == 200
        assert visitor.post(smtp_url(credential, "copy"), headers=header).status_code == 302


@pytest.fixture
def forging(alice, credential):
    """A browser of Alice's that another site controls, with CSRF checks."""
    browser = sign_in(Browser(enforce_csrf_checks=True), alice)

    def send(token="", **headers):
        fields = {"label": "forged", "csrfmiddlewaretoken": token}
        secure = headers.pop("secure", False)
        return browser.post(smtp_url(credential, "label"), fields, headers=headers, secure=secure)

    send.token = _token(browser, credential)
    return send


def _token(browser, credential):
    page = text(browser.get(smtp_url(credential, "page")))
    return page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


@rows(
    "token, headers",
    C7=("", {}),
    C8=("a" * 64, {}),
    C8b=("\x00", {}),
    C8c=("é" * 64, {}),
    C9=("right", {"Origin": "https://evil.test"}),
    C10=("right", {"Origin": "null"}),
    C10b=("right", {"Origin": "http://testserver:abc\x00"}),
    C10c=("right", {"Origin": "http://["}),
    C11=("right", {"secure": True}),
    C11b=("right", {"secure": True, "Referer": "https://[evil"}),
)
def test_forged_request_gets_a_helpful_403_page(forging, credential, token, headers):
    response = forging(forging.token if token == "right" else token, **headers)
    assert response.status_code == 403
    assert "Reload" in text(response) or "reload" in text(response)


@row("C6")
def test_post_without_cookie_and_token_is_refused(visitor, credential):
    strict = Browser(enforce_csrf_checks=True)
    for path in ("/login/", smtp_url(credential, "delete"), "/logout/"):
        assert strict.post(path).status_code == 403


@row("C12")
def test_csrf_token_of_another_user_is_refused(forging, credential, domain):
    other = sign_in(Client(enforce_csrf_checks=True), factories.make_user("mallory@example.com"))
    domain.memberships.create(user=factories.User.objects.get(email="mallory@example.com"), role="manager")
    assert forging(_token(other, credential)).status_code == 403
    assert forging(forging.token).status_code == 302


@row("M1")
def test_get_of_a_post_only_url_is_a_405(owner, credential):
    response = owner.get(smtp_url(credential, "copy"))
    assert (response.status_code, response["Allow"]) == (405, "POST")


@rows("method", M2="TRACE", M3="FOO", M3b="DELETE", M3c="\x00", M3d="X" * 5000)
def test_other_methods_are_refused(owner, credential, method):
    for path in ("/domains/", smtp_url(credential, "delete"), "/nothing/", "/static/htmx.js"):
        assert owner.generic(method, path).status_code == 405


@rows("fields, headers", M4=({}, {"X-HTTP-Method-Override": "DELETE"}), M5=({"_method": "delete"}, {}))
def test_method_override_is_ignored(owner, credential, fields, headers):
    response = owner.post(smtp_url(credential, "networks"), {"networks": "x", **fields}, headers=headers)
    assert response.status_code == 422
    credential.refresh_from_db()


@rows(
    "value",
    W1="\x00",
    W2="http://[",
    W3="http://testserver//[",
    W4="é" * 3000,
    W5="javascript:alert(1)",
    W6="%00%ff;=",
    W7="http://testserver:x/",
)
def test_odd_headers_break_no_page(owner, credential, value):
    headers = {"HX-Request": "true"} | dict.fromkeys(SPOKEN_BY_HTMX, value)
    for path in (smtp_url(credential.domain), "/domains/menu/", "/account/sessions/"):
        assert owner.get(path, headers=headers).status_code < 500
    assert owner.post(smtp_url(credential, "delete"), headers=headers).status_code < 500
    assert owner.post("/account/theme/", {"theme": value}, headers=headers).status_code == 302
