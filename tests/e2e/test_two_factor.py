"""A user protects the account with an authenticator app, recovery codes and a passkey."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.accounts.codes import code_of
from tests.e2e.browser import session_cookie
from tests.e2e.tab import Tab, copied
from tests.factories import PASSWORD, password_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

TWO_FACTOR = "/account/two-factor/"


def give_password(page):
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def give_code(page, code):
    page.get_by_label("Code from your authenticator app").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page):
    page.get_by_label("Account menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


class TestAuthenticatorApp:
    def test_set_up_sign_out_and_in_with_a_code_and_with_a_recovery_code_once(self, window, alice):
        page, _ = window(alice)
        page.goto("/domains/")
        page.get_by_label("Account menu").click()
        page.get_by_role("link", name="Account", exact=True).click()
        page.get_by_role("link", name="Two-factor").click()
        page.get_by_role("link", name="Set up").click()
        expect(page.get_by_role("img", name="QR code")).to_be_visible()
        secret = copied(page, "Copy secret")
        page.get_by_label("The code that the app shows now").fill(code_of(secret))
        page.get_by_role("button", name="Turn on").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        recovery = page.locator(".codes code").all_inner_texts()
        assert len(recovery) == 10

        sign_out(page)
        give_password(page)
        give_code(page, code_of(secret, 1))
        expect(page.get_by_label("Account menu")).to_be_visible()

        sign_out(page)
        give_password(page)
        give_code(page, recovery[0])
        expect(page.get_by_label("Account menu")).to_be_visible()
        sign_out(page)
        give_password(page)
        give_code(page, recovery[0])
        expect(page.get_by_text("Incorrect code.")).to_be_visible()


@pytest.fixture
def at_localhost(window, site):
    """A window at the name localhost, where there is a device that keeps passkeys.

    A passkey is for a name, and 127.0.0.1 is none.
    """
    page, watch = window(base_url=site.url.replace("127.0.0.1", "localhost"))
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    yield page, watch
    session.detach()


class TestPasskey:
    def test_add_one_sign_in_with_it_confirm_with_it_remove_it(self, at_localhost, alice, credential, site):
        page, watch = at_localhost
        page.goto(TWO_FACTOR)
        give_password(page)
        page.get_by_role("link", name="Add a passkey").click()
        page.get_by_label("Name").fill("Laptop")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        page.goto(TWO_FACTOR)
        expect(page.get_by_role("rowheader", name="Laptop", exact=True)).to_be_visible()

        sign_out(page)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_label("Account menu")).to_be_visible()

        sign_out(page)
        give_password(page)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_label("Account menu")).to_be_visible()

        localhost = page.evaluate("location.origin")
        page.context.add_cookies([session_cookie(alice, localhost, ago=timedelta(hours=1))])
        watch.expect(401)
        tab = Tab(page, credential.domain, watch).open()
        tab.press(credential, "Show Password")
        tab.dialog.get_by_role("link", name="Use a passkey").click()
        tab.dialog.get_by_role("button", name="Use a passkey").click()
        expect(tab.password(credential)).to_have_text(password_of(credential))

        page.goto(TWO_FACTOR)
        page.get_by_role("link", name="Remove Laptop").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_text("Passkey removed.")).to_be_visible()
        sign_out(page)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_text("This passkey wasn't accepted.")).to_be_visible()

    def test_passkey_page_without_javascript_says_that_it_is_needed(self, window):
        page, _ = window(java_script_enabled=False)
        page.goto("/login/")
        expect(page.get_by_text("Passkeys need JavaScript.")).to_be_visible()
        expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
