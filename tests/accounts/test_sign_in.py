"""Sign-in, sign-out, password change and reset, closed sign-up, theme."""

import re

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD
from tests.http import delivered, text

pytestmark = pytest.mark.django_db
WRONG = "not-the-password"


def sign_in(client, email="alice@example.com", password=PASSWORD, **extra):
    return client.post("/login/", {"login": email, "password": password}, **extra)


def is_signed_in(client):
    return client.get("/domains/").status_code == 200


def test_e_mail_and_password_sign_in(client, alice):
    assert sign_in(client, " Alice@Example.COM ")["Location"] == "/"
    assert is_signed_in(client)


@pytest.mark.one_database
@pytest.mark.parametrize("path", ["/login/", "/account/password/reset/"])
def test_the_field_of_the_address_is_spelled_as_everywhere(client, path):
    page = text(client.get(path))
    assert re.search(r"<label[^>]*>E-mail</label>", page) and "Email" not in page


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("alice@example.com", WRONG),
        ("nobody@example.com", WRONG),
        ("\x00", "\x00"),
        ("", ""),
        ("x" * 9999, "y"),
    ],
)
def test_wrong_email_or_password_is_refused_with_a_reason(client, alice, email, password):
    response = sign_in(client, email, password)
    assert response.status_code == 200
    assert 'role="alert"' in text(response) or 'class="error"' in text(response)
    assert not is_signed_in(client)


def test_known_and_unknown_address_get_the_same_answer(client, alice):
    answers = [text(sign_in(client, email, WRONG)) for email in ("alice@example.com", "nobody@example.com")]
    known, unknown = (re.sub(r'value="[^"]*"', "", answer) for answer in answers)
    assert known == unknown


@pytest.mark.one_database
def test_right_password_waits_after_5_wrong_ones(client, alice):
    for _ in range(5):
        sign_in(client, password=WRONG)
    assert "Too many failed login attempts" in text(sign_in(client))
    assert not is_signed_in(client)


@pytest.mark.one_database
def test_forged_forwarded_address_gives_no_further_attempts(client, alice):
    for number in range(6):
        response = sign_in(client, password=WRONG, headers={"X-Forwarded-For": f"203.0.113.{number}"})
    assert "Too many failed login attempts" in text(response)


@pytest.mark.one_database
@pytest.mark.parametrize("forwarded", [None, "unknown", "_hidden", "198.51.100.1, unknown"])
def test_proxy_without_client_addresses_lets_no_client_lock_out_others(client, settings, alice, forwarded):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    for number in range(60):  # one address may send 10 wrong passwords and 30 attempts
        sign_in(client, email=f"nobody{number}@example.com", password=WRONG, headers=headers)
    assert sign_in(Client(), headers=headers)["Location"] == "/"
    # The account is still limited.
    for _ in range(6):
        response = sign_in(client, password=WRONG, headers=headers)
    assert "Too many failed login attempts" in text(response)


@pytest.mark.one_database
@pytest.mark.parametrize("port", ["203.0.113.8:{}", "[2001:db8::1]:{}"])
def test_another_client_port_gives_no_further_attempts_and_locks_out_no_one(client, settings, alice, port):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for number in range(12):
        headers = {"X-Forwarded-For": port.format(50_000 + number)}
        response = sign_in(client, email=f"nobody{number}@example.com", password=WRONG, headers=headers)
    assert "Too many failed login attempts" in text(response)
    assert sign_in(Client(), headers={"X-Forwarded-For": "198.51.100.7:50000"})["Location"] == "/"


@pytest.mark.one_database
def test_another_port_in_the_host_header_gives_no_further_attempts(client, alice):
    for number in range(6):
        response = sign_in(client, password=WRONG, headers={"Host": f"localhost:{8000 + number}"})
    assert "Too many failed login attempts" in text(response)


@pytest.mark.one_database
def test_flood_of_attempts_gets_a_429_page(client, alice):
    for _ in range(31):
        response = sign_in(client, password=WRONG)
    assert response.status_code == 429 and "Wait a few minutes, then try again." in text(response)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "target",
    ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "///evil", "\t//evil"],
)
def test_sign_in_redirects_to_no_other_site(client, alice, target):
    response = client.post("/login/", {"login": "alice@example.com", "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


@pytest.mark.one_database
def test_signing_out_requires_a_post(as_alice):
    assert as_alice.get("/logout/").status_code == 200
    assert is_signed_in(as_alice)
    as_alice.post("/logout/")
    assert not is_signed_in(as_alice)


def test_sign_up_is_closed_by_default(client):
    page = text(client.get("/signup/"))
    assert "Sign-up is closed" in page
    client.post("/signup/", {"email": "x@example.com", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.filter(email="x@example.com").exists()
    assert "Create an account" not in text(client.get("/login/"))


def test_password_change_requires_the_old_one_and_ends_other_sessions(as_alice, alice):
    other = Client()
    other.force_login(alice)
    form = {"oldpassword": WRONG, "password1": "a new long password", "password2": "a new long password"}
    assert "current password" in text(as_alice.post("/account/password/", form))
    as_alice.post("/account/password/", form | {"oldpassword": PASSWORD})
    alice.refresh_from_db()
    assert alice.check_password("a new long password")
    assert is_signed_in(as_alice)
    assert not is_signed_in(other)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "password", ["short", "password123", "1234567890123", "alice@example.com", "SendLayer-SMTP-26"]
)
def test_a_weak_password_is_refused_with_the_rule(as_alice, alice, password):
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    assert 'class="error"' in text(as_alice.post("/account/password/", form))
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("password", ["  spaces at both ends  ", "Ünïcode ✓ " * 10, "one two three four" * 10])
def test_password_is_not_trimmed(client, as_alice, password):
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    assert as_alice.post("/account/password/", form).status_code == 302
    for other in (password.strip() + "x", password[:-1], password.swapcase()):
        assert sign_in(Client(), password=other).status_code == 200
    assert sign_in(Client(), password=password)["Location"] == "/"


@pytest.mark.one_database
def test_password_fields_are_hidden_and_work_with_password_managers(client):
    field = re.search('<input[^>]*name="password"[^>]*>', text(client.get("/login/")))[0]
    assert 'type="password"' in field and 'autocomplete="current-password"' in field


def test_reset_link_works_once(client, alice):
    # Whoever requests the link chooses the header, but not the host of the link.
    headers = {"Host": "localhost:9999"}
    client.post("/account/password/reset/", {"email": "alice@example.com"}, headers=headers)
    assert [message.to for message in delivered()] == [["alice@example.com"]]
    assert delivered()[0].subject == "Choose a new password"
    link = re.search(r"http://127.0.0.1:8000(/account/password/reset/key/\S+)", delivered()[0].body)[1]
    page = client.get(link, follow=True)
    form_url = page.redirect_chain[-1][0]
    client.post(form_url, {"password1": "a new long password", "password2": "a new long password"})
    alice.refresh_from_db()
    assert alice.check_password("a new long password")
    client.logout()
    assert "This link no longer works" in text(client.get(link, follow=True))


def test_reset_for_an_unknown_address_looks_the_same_and_sends_nothing(client, alice):
    answers = [
        client.post("/account/password/reset/", {"email": f"{name}@example.com"}) for name in ("x", "alice")
    ]
    assert answers[0]["Location"] == answers[1]["Location"] == "/account/password/reset/done/"
    assert [message.to for message in delivered()] == [["alice@example.com"]]


@pytest.mark.parametrize("key", ["x", "1-1", "zzz-set-password", "1-abc-def", "%00-%00"])
def test_made_up_reset_link_is_refused(client, alice, key):
    assert client.get(f"/account/password/reset/key/{key}/").status_code in (200, 404)
    assert not is_signed_in(client)


@pytest.mark.one_database
def test_theme_cookie_accepts_light_and_dark_only(as_alice):
    as_alice.post("/account/theme/", {"theme": "dark"}, headers={"Referer": "http://testserver/domains/"})
    assert 'data-theme="dark"' in text(as_alice.get("/domains/"))
    response = as_alice.post(
        "/account/theme/", {"theme": '"><script>'}, headers={"Referer": "http://evil.test/"}
    )
    assert response["Location"] == "/"
    assert "data-theme" not in text(as_alice.get("/domains/"))


PUBLIC = ["/login/", "/logout/", "/signup/", "/account/inactive/", "/account/password/reset/"]
PRIVATE = [
    "/",
    "/domains/",
    "/domains/add/",
    "/domains/menu/",
    "/account/",
    "/account/email/",
    "/account/sessions/",
    "/account/two-factor/",
    "/account/two-factor/totp/activate/",
    "/account/two-factor/recovery-codes/",
    "/account/two-factor/webauthn/add/",
    "/account/password/",
    "/admin/",
    "/account/reauthenticate/",
]


@pytest.mark.one_database
@pytest.mark.parametrize("path", PRIVATE)
def test_pages_require_a_sign_in(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith(("/login/?next=", "/admin/login/"))


@pytest.mark.one_database
@pytest.mark.parametrize("path", [*PUBLIC, *PRIVATE])
def test_every_response_has_the_policy_and_is_not_cached(as_alice, path):
    response = as_alice.get(path)
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
