"""Connect a site with what its page offers to copy, and explain why a real login was refused."""

import re
import smtplib
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.e2e.tab import copied
from tests.environment import VAR_DIR
from tests.factories import SYSTEM, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def run(script, password):
    """Run a copied script as the site does; return what it printed on its way."""
    environment = {"SMTP_PASSWORD": password, "SSL_CERT_FILE": str(VAR_DIR / "tls" / "submission.crt")}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60).stderr


@pytest.fixture
def connect(window, alice, credential):
    """Open the page of a tool as Alice: connect(tool, **options) → Playwright's page."""

    def connect(tool="wordpress", **options):
        page, _watch = window(alice, **options)
        page.goto(smtp_url(credential, "page"))
        page.get_by_label("Tool").select_option(tool)
        page.get_by_role("button", name="Show settings").click()
        expect(page).to_have_url(re.compile("#connect$"))
        return page

    return connect


class TestConnectYourSite:
    def test_a_copied_snippet_and_password_send_a_message(self, connect, credential):
        page = connect("python")
        script = copied(page, "Copy", "Copied.")
        assert credential.username in script and password_of(credential) not in page.content()
        password = copied(page, "Copy password", "Password copied.")
        assert run(script, password) == ""
        kept = [path.read_bytes() for path in (VAR_DIR / "outbox" / "new").iterdir()]
        assert any(
            b"Sent by smtplib." in each and b"Return-Path: <info@sl.example.com>" in each for each in kept
        )

    def test_copy_with_password_fills_it_into_the_clipboard_alone(self, connect, credential):
        page, password = connect("laravel"), password_of(credential)
        assert f"MAIL_PASSWORD={password}\n" in copied(page, "Copy with password", "Copied with the password.")
        assert password not in page.content()
        assert "MAIL_PASSWORD=YOUR-SMTP-PASSWORD\n" in copied(page, "Copy", "Copied.")

    def test_the_password_is_shown_and_hidden(self, connect, credential):
        page = connect()
        page.get_by_role("button", name="Show Password").click()
        expect(page.locator("[data-password] code")).to_have_text(password_of(credential))
        page.get_by_role("button", name="Hide Password").click()
        expect(page.locator("[data-password] code")).to_have_text("•" * 16)

    def test_a_credential_that_is_gone_is_said_to_be(self, window, alice, credential):
        page, watch = window(alice)
        watch.expect(404)
        page.goto(smtp_url(credential, "page"))
        credential.remove(by=SYSTEM)
        page.get_by_role("button", name="Copy password").click()
        expect(page.get_by_role("heading", name="This SMTP user no longer exists.")).to_be_visible()

    def test_without_javascript(self, connect, credential):
        page = connect("python", java_script_enabled=False)
        expect(page.get_by_role("heading", name="Python")).to_be_visible()
        expect(page.get_by_text("smtp.starttls(")).to_be_visible()
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)
        page.get_by_role("button", name="Show Password").click()
        expect(page.get_by_text(password_of(credential))).to_be_visible()


class TestExplainAnError:
    def test_reply_names_a_suspended_smtp_user(self, tab, credential):
        credential.suspend(by=SYSTEM)
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            tab.connection(credential).send(password_of(credential), "Never sent")
        line = repr(refused.value)
        tab.open_page(credential)
        field = tab.page.get_by_label("Or paste an error from the site’s log")
        field.fill(f"{line} password={password_of(credential)}")
        tab.page.get_by_role("button", name="Explain").click()
        answer = tab.page.locator(".explanation").get_by_role("heading", name="This SMTP user is suspended")
        expect(answer).to_be_focused()
        expect(tab.page.locator(".explanation").get_by_role("link", name="Resume")).to_be_visible()
        assert password_of(credential) not in field.input_value()

    def test_empty_error_text_is_reported_at_the_field(self, tab, credential):
        tab.watch.expect(422)
        tab.open_page(credential)
        tab.page.get_by_role("button", name="Explain").click()
        field = tab.page.get_by_label("Or paste an error from the site’s log")
        expect(field).to_have_accessible_description(re.compile("^Paste a line first."))
        expect(field).to_be_focused()

    def test_without_javascript(self, open_tab, alice, credential):
        tab = open_tab(alice, java_script_enabled=False).open_page(credential)
        tab.page.get_by_label("Or paste an error").fill("535 5.7.8 Authentication credentials invalid")
        tab.page.get_by_role("button", name="Explain").click()
        expect(tab.page).to_have_url(re.compile("#check$"))
        expect(tab.page.get_by_role("heading", name="The refused login wasn't one of")).to_be_visible()
        tab.page.locator(".explanation").get_by_role("link", name="Connect your site").click()
        expect(tab.page).to_have_url(smtp_url(credential, "page") + "#connect")
