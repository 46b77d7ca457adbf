"""Help page: Viewing SMTP Credentials."""

import pytest
from playwright.sync_api import expect

from audit.actor import Actor
from tests.factories import PASSWORD, make_domain
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


class TestViewingSMTPCredentials:
    def test_tab_is_reached_as_the_help_page_says(self, window, credential):
        page, _ = window()
        page.goto("/")
        page.get_by_label("E-mail").fill("alice@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("summary").first).to_have_text("sl.example.com")
        page.get_by_role("link", name="Settings").click()
        page.get_by_role("link", name="SMTP Credentials").click()
        expect(page).to_have_url(smtp_url(credential.domain))
        expect(page.get_by_text(credential.username)).to_be_visible()

    def test_the_domain_dropdown_is_at_the_top_left(self, tab):
        box = tab.page.locator("summary", has_text="sl.example.com").bounding_box()
        assert box["x"] < 100
        assert box["y"] < 30

    def test_tab_shows_the_words_of_the_help_page(self, tab, site):
        heads = tab.page.locator("thead th").all_inner_texts()
        assert heads[1:] == ["CREDENTIALS", "LAST USED", "DATE CREATED", "DELETE"]
        names = tab.rows.locator("dt").all_inner_texts()
        assert names == ["Example Email", "Username", "Password", "Host", "Port"]
        email, _username, password, host, port = tab.rows.locator("dd").all_inner_texts()
        assert (email, host) == ("info@sl.example.com", "127.0.0.1")
        assert port.split() == [str(site.smtp_port), "STARTTLS"]
        assert password.split() == ["•" * 16, "Show", "Password", "Reset"]

    def test_authorizing_a_domain_creates_its_first_smtp_user(self, open_tab, alice):
        domain = make_domain("new.example.com", owner=alice, authorized=False)
        tab = open_tab(alice)
        tab.domain = domain
        expect(tab.open().page.get_by_text("This domain isn't authorized yet")).to_be_visible()
        domain.authorize(by=Actor.system("tests"))
        expect(tab.open().rows).to_have_count(1)
        expect(tab.rows).to_contain_text("info@new.example.com")

    def test_usernames_hosts_and_ports_are_copied_by_their_icons(self, tab, credential, site):
        for name, text in (
            ("Copy username", credential.username),
            ("Copy host", "127.0.0.1"),
            ("Copy port", str(site.smtp_port)),
        ):
            tab.press(credential, name)
            tab.told("Copied.")
            assert tab.clipboard() == text
