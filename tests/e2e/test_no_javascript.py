"""Everything works with plain forms and pages."""

import pytest
from playwright.sync_api import expect

from tests.factories import PASSWORD, make_credential, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(open_tab, alice, credential):
    return open_tab(alice, java_script_enabled=False)


class TestWithoutJavaScript:
    def test_a_person_signs_in(self, window, credential):
        page, _ = window(java_script_enabled=False)
        page.goto(smtp_url(credential.domain))
        page.get_by_label("E-mail").fill("alice@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(smtp_url(credential.domain))

    def test_the_password_is_shown_on_a_page_of_its_own(self, tab, credential):
        expect(tab.page.get_by_role("button", name="Copy")).to_have_count(0)
        tab.press(credential, "Show Password")
        expect(tab.page.get_by_text(password_of(credential))).to_be_visible()
        tab.page.get_by_role("link", name="Hide Password").click()
        expect(tab.page).to_have_url(smtp_url(tab.domain))

    def test_reset_asks_on_a_page(self, tab, credential):
        old = password_of(credential)
        tab.press(credential, "Reset")
        expect(tab.page.get_by_role("heading", name="Reset SMTP Password")).to_be_visible()
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.page.get_by_text("SMTP password is reset.")).to_be_visible()
        assert password_of(credential) != old

    def test_delete_asks_on_a_page(self, tab, credential):
        tab.press(credential, "Delete")
        expect(tab.page.get_by_role("heading", name="Delete SMTP User")).to_be_visible()
        tab.page.get_by_role("link", name="Cancel").click()
        expect(tab.row(credential)).to_be_visible()
        tab.press(credential, "Delete")
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.page.get_by_text("SMTP user is deleted.")).to_be_visible()
        expect(tab.rows).to_have_count(0)

    def test_add_and_label(self, tab, domain):
        tab.page.get_by_role("button", name="Add New SMTP User").click()
        expect(tab.page.get_by_text("New SMTP user is added.")).to_be_visible()
        expect(tab.rows.last.get_by_text("New", exact=True)).to_be_visible()
        tab.rows.last.get_by_role("textbox", name="Label of the new SMTP user").fill("Office printer")
        tab.rows.last.get_by_role("button", name="Save").click()
        expect(tab.page.get_by_text("Label saved.")).to_be_visible()
        expect(tab.rows.last).to_contain_text("Office printer")

    def test_search(self, tab, domain):
        made = [make_credential(domain, label=f"Site {number}") for number in range(30)]
        tab.open().page.get_by_role("searchbox").fill("Site 2")
        tab.page.get_by_label("Sort").select_option("Label")
        tab.page.get_by_role("button", name="Search").click()
        expect(tab.rows).to_have_count(11)
        tab.press(made[29], "Delete")
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.rows).to_have_count(10)
        expect(tab.page).to_have_url(f"{smtp_url(domain)}?q=Site+2&sort=label")

    def test_all_domains_are_reached_through_the_dropdown(self, tab):
        tab.page.locator("details.domain-switcher summary").click()
        tab.page.get_by_role("link", name="All domains", exact=True).click()
        expect(tab.page.get_by_role("heading", name="Domains")).to_be_visible()
