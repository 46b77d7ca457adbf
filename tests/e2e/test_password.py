"""Help page: Viewing Your SMTP Password."""

import pytest
from playwright.sync_api import expect

from audit.models import Event
from tests.e2e.tab import DOTS
from tests.factories import password_of
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

HIDE_TAB = """
Object.defineProperty(document, "hidden", { value: true, configurable: true });
document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
"""
# Title, address, history, both storages, cookies, what a form would fill in, attributes.
ELSEWHERE = """JSON.stringify([
  document.title, location.href, history.state, {...localStorage}, {...sessionStorage}, document.cookie,
  [...document.querySelectorAll("input, textarea")].map((field) => field.value),
  [...document.querySelectorAll("*")].flatMap((each) => [...each.attributes].map(({ value }) => value)),
])"""


def latest_event():
    return Event.objects.order_by("-pk").values_list("tag", "actor_name", "credential", "ip").first()


class TestViewingYourSMTPPassword:
    def test_the_copy_icon_copies_it_without_revealing_it(self, tab, credential):
        assert tab.copied_password(credential) == password_of(credential)
        expect(tab.password(credential)).to_have_text(DOTS)
        assert password_of(credential) not in tab.page.content()
        expected = ("credential.password_copied", "alice@example.com", credential.username, "127.0.0.1")
        assert latest_event() == expected

    def test_password_is_copied_without_the_clipboard_api(self, open_tab, alice, credential):
        # Browsers have it on HTTPS and on localhost only.
        tab = open_tab(alice, name="on plain HTTP")
        tab.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        tab.open().press(credential, "Copy password")
        expect(tab.page.get_by_text("Password copied.")).to_be_visible()
        expect(tab.row(credential).get_by_role("button", name="Copy password")).to_be_focused()
        assert tab.clipboard() == password_of(credential)

    def test_show_password_reveals_it_and_hide_password_hides_it(self, tab, credential):
        assert password_of(credential) not in tab.page.content()
        tab.press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(password_of(credential))
        expected = ("credential.password_shown", "alice@example.com", credential.username, "127.0.0.1")
        assert latest_event() == expected
        tab.press(credential, "Hide Password")
        expect(tab.password(credential)).to_have_text(DOTS)
        expect(tab.row(credential).get_by_role("button", name="Show Password")).to_be_visible()
        assert password_of(credential) not in tab.page.content()

    def test_a_shown_one_stands_in_the_page_and_nowhere_else_in_the_browser(self, tab, credential):
        tab.press(credential, "Show Password")
        password = password_of(credential)
        expect(tab.password(credential)).to_have_text(password)
        elsewhere = tab.page.evaluate(ELSEWHERE)
        assert "SMTP Credentials" in elsewhere and password not in elsewhere

    def test_password_hides_when_the_tab_goes_to_the_background(self, tab, credential):
        tab.press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(password_of(credential))
        tab.page.evaluate(HIDE_TAB)
        expect(tab.password(credential)).to_have_text(DOTS)
        expect(tab.row(credential).get_by_role("status")).to_have_text("Hidden while you were away.")

    def test_password_hides_after_30_seconds(self, open_tab, alice, credential):
        tab = open_tab(alice, name="with a clock of its own")
        tab.page.clock.install()
        tab.open().press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(password_of(credential))
        notice = tab.row(credential).get_by_role("status")
        expect(notice).to_have_text("It's hidden again after 30 seconds.")
        tab.page.clock.fast_forward(30_000)
        expect(tab.password(credential)).to_have_text(DOTS)
        expect(notice).to_have_text("Hidden again after 30 seconds.")
        tab.press(credential, "Show again")
        expect(tab.password(credential)).to_have_text(password_of(credential))
        tab.press(credential, "Hide Password")
        expect(notice).to_have_text("")
        expect(tab.row(credential).get_by_role("button", name="Show Password")).to_be_visible()

    def test_password_is_hidden_after_back_navigation(self, tab, credential):
        tab.press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(password_of(credential))
        tab.page.get_by_role("link", name="Activity").click()
        expect(tab.page.get_by_text("showed the password of")).to_be_visible()
        tab.page.go_back()
        expect(tab.password(credential)).to_have_text(DOTS)

    def test_a_site_logs_in_with_the_copied_password_and_its_mail_is_taken(self, tab, credential):
        password, connection = tab.copied_password(credential), tab.connection(credential)
        kept = connection.send(password, subject="Your order #1001")
        assert b"Return-Path: <info@sl.example.com>" in kept
        assert b"Your order is on its way." in kept
        # The listener writes once a second.
        wait_until(lambda: type(credential).objects.filter(pk=credential.pk, last_used_at__isnull=False))
        used = tab.open().row(credential).locator("[data-label='Last used']")
        expect(used).to_have_text("Just now127.0.0.1")
