"""The session ended between the question and OK: the page says so, and offers the act again."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from tests.factories import PASSWORD, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SAID = "You were signed out before you confirmed. Nothing was done."


def sign_in_again(page):
    """Read on the sign-in page and on the one after it that nothing was done."""
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text(SAID)).to_be_visible()
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Nothing was done")).to_be_visible()
    expect(page.get_by_text(SAID)).to_be_visible()


class TestEndedSession:
    @pytest.mark.parametrize("script", [True, False])
    def test_reset_is_not_done_and_offered_again(self, open_tab, alice, credential, script):
        tab, password = open_tab(alice, java_script_enabled=script), password_of(credential)
        connection = tab.connection(credential)
        tab.press(credential, "Reset")
        ok = tab.page.get_by_role("button", name="OK")
        expect(ok).to_be_visible()
        Session.objects.all().delete()
        ok.click()
        sign_in_again(tab.page)
        assert password_of(credential) == password
        tab.page.get_by_role("link", name="Try again").click()
        expect(tab.page.get_by_role("heading", name="Reset SMTP Password")).to_be_visible()
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.page.get_by_text("SMTP password is reset.")).to_be_visible()
        assert connection.refusal(password) == 535
        assert connection.refusal(password_of(credential)) is None

    @pytest.mark.parametrize("name", ["Show Password", "Copy password"])
    def test_password_is_not_shown_and_page_leads_back(self, tab, credential, name):
        Session.objects.all().delete()
        tab.press(credential, name)
        sign_in_again(tab.page)
        tab.page.get_by_role("link", name="Go back").click()
        expect(tab.page).to_have_url(smtp_url(tab.domain))
        expect(tab.row(credential)).to_be_visible()

    def test_add_is_not_done(self, tab, domain):
        Session.objects.all().delete()
        tab.page.get_by_role("button", name="Add New SMTP User").click()
        sign_in_again(tab.page)
        tab.page.get_by_role("link", name="Try again").click()
        expect(tab.page).to_have_url(smtp_url(domain))
        expect(tab.rows).to_have_count(1)
        tab.add()
