"""AUTH: accepted and refused logins, without a hint at the cause."""

from datetime import timedelta

import pytest
from django.utils import timezone

from domains.models import Domain
from tests.factories import SYSTEM, make_credential, make_domain, password_of
from tests.submission.clients import auth_login, auth_plain, closed, encoded, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = (535, b"5.7.8 Authentication credentials invalid")
ACCEPTED = (235, b"2.7.0 Authentication successful")


def test_auth_plain_is_accepted(secure, credential):
    assert auth_plain(secure, credential.username, password_of(credential)) == ACCEPTED


def test_auth_plain_without_initial_response_is_accepted(secure, credential):
    assert secure.docmd("AUTH", "PLAIN") == (334, b"")
    assert secure.docmd(encoded("", credential.username, password_of(credential))) == ACCEPTED


def test_auth_login_is_accepted(secure, credential):
    assert auth_login(secure, credential.username, password_of(credential)) == ACCEPTED


def test_auth_login_with_initial_username_is_accepted(secure, credential):
    assert secure.docmd("AUTH", "LOGIN " + encoded(credential.username)) == (334, b"UGFzc3dvcmQ6")
    assert secure.docmd(encoded(password_of(credential))) == ACCEPTED


def test_mechanism_names_may_be_lower_case(secure, credential):
    response = encoded("", credential.username, password_of(credential))
    assert secure.docmd("auth", "plain " + response) == ACCEPTED


@pytest.mark.parametrize("auth", [auth_plain, auth_login])
def test_username_in_lower_case_or_with_blanks_around_it_is_accepted(listener, credential, auth):
    name, password = credential.username, password_of(credential)
    for username in (name.lower(), f"{name} ", f" \t{name.lower()}\r\n", f"{name}\n"):
        assert auth(listener.secure(), username, password) == ACCEPTED
    assert auth_plain(listener.secure(), f"{name} ", password, identity=name.lower()) == ACCEPTED
    for username in (
        f"{name[:16]} {name[16:]}",
        f"x{name}",
        f"{name}\0".replace("\0", "\x01"),
        f"\u00a0{name}",
    ):
        assert auth_login(listener.secure(), username, password) == REFUSED


def unknown(credential):
    return "0" * 32, password_of(credential)


def wrong_password(credential):
    return credential.username, "sl_" + "0" * 38


def injection(credential):
    return "' OR 1=1 --", password_of(credential)


def variable(credential):
    return "%u", password_of(credential)


def very_long(credential):
    return "A" * 400, password_of(credential)


def no_username(credential):
    return "", password_of(credential)


def no_password(credential):
    return credential.username, ""


def not_utf8(credential):
    return b"\xff\xfe", password_of(credential)


def suspended(credential):
    credential.suspend(by=SYSTEM)
    return credential.username, password_of(credential)


def expired(credential):
    type(credential).objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return credential.username, password_of(credential)


def deleted(credential):
    password = password_of(credential)
    credential.remove(by=SYSTEM)
    return credential.username, password


def domain_not_authorized(credential):
    Domain.objects.update(authorized_at=None)
    return credential.username, password_of(credential)


def domain_suspended(credential):
    Domain.objects.update(suspended_at=timezone.now())
    return credential.username, password_of(credential)


@pytest.mark.parametrize(
    "login",
    [
        unknown,
        wrong_password,
        injection,
        variable,
        very_long,
        no_username,
        no_password,
        not_utf8,
        suspended,
        expired,
        deleted,
        domain_not_authorized,
        domain_suspended,
    ],
)
@pytest.mark.parametrize("mechanism", [auth_plain, auth_login])
def test_every_refused_login_gets_the_same_reply(secure, credential, login, mechanism):
    assert mechanism(secure, *login(credential)) == REFUSED


def test_foreign_authorization_identity_is_refused(secure, credential):
    other = make_credential(make_domain("other.example"))
    assert auth_plain(secure, credential.username, password_of(credential), other.username) == REFUSED


def test_own_authorization_identity_is_accepted(secure, credential):
    assert auth_plain(secure, credential.username, password_of(credential), credential.username) == ACCEPTED


def test_reset_refuses_the_old_password_and_accepts_the_new_one(secure, credential):
    old = password_of(credential)
    new = credential.reset_password(by=SYSTEM)
    assert auth_plain(secure, credential.username, old) == REFUSED
    assert auth_plain(secure, credential.username, new) == ACCEPTED


@pytest.mark.parametrize("response", ["a", "####", "YWJj=YWJj", encoded("x"), encoded(*"abcde"), "="])
def test_malformed_plain_response_is_a_syntax_error(secure, response):
    assert secure.docmd("AUTH", "PLAIN " + response)[0] == 501


def test_malformed_login_response_is_a_syntax_error(secure):
    assert secure.docmd("AUTH", "LOGIN")[0] == 334
    assert secure.docmd("####")[0] == 501


def test_star_aborts_the_exchange(secure, credential):
    assert secure.docmd("AUTH", "LOGIN")[0] == 334
    assert secure.docmd("*") == (501, b"5.7.0 Authentication aborted")
    assert auth_login(secure, credential.username, password_of(credential)) == ACCEPTED


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "GSSAPI", "smtp"])
def test_other_mechanisms_are_not_known(secure, mechanism):
    assert secure.docmd("AUTH", mechanism)[0] == 504


def test_auth_without_argument_is_a_syntax_error(secure):
    assert secure.docmd("AUTH")[0] == 501


def test_long_auth_line_is_refused_and_session_continues(secure, credential):
    assert secure.docmd("AUTH", "PLAIN " + "A" * 2000)[0] == 500
    assert auth_plain(secure, credential.username, password_of(credential)) == ACCEPTED


def test_long_auth_response_is_refused_and_session_continues(secure, credential):
    assert secure.docmd("AUTH", "PLAIN")[0] == 334
    assert secure.docmd("A" * 20_000) == (500, b"5.5.6 Authentication exchange line is too long")
    assert auth_plain(secure, credential.username, password_of(credential)) == ACCEPTED


def test_fourth_login_attempt_ends_the_connection(secure, credential):
    for _ in range(3):
        assert auth_plain(secure, credential.username, "wrong") == REFUSED
    assert auth_plain(secure, credential.username, password_of(credential))[0] == 421
    assert closed(secure)


def test_new_ehlo_does_not_reset_login_attempts(secure, credential):
    for _ in range(3):
        assert auth_plain(secure, credential.username, "wrong") == REFUSED
        assert secure.docmd("EHLO again")[0] == 250
    assert auth_plain(secure, credential.username, "wrong")[0] == 421


def test_auth_after_success_is_out_of_order(smtp, credential):
    assert auth_plain(smtp, credential.username, password_of(credential))[0] == 503


def test_login_updates_last_used(smtp, credential):
    wait_until(lambda: credential.refresh_from_db() or credential.last_used_at)
    assert credential.last_used_ip == "127.0.0.1"


def test_refused_login_does_not_update_last_used(secure, credential):
    auth_plain(secure, credential.username, "wrong")
    credential.refresh_from_db()
    assert credential.last_used_at is None
