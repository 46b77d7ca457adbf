"""Who uses an SMTP user, and use of retired passwords, which is reported within seconds."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import SYSTEM, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
HOME = "/domains/sl.example.com/"
HOSTILE = "<script>alert(1)</script>"


def soon(page, locator):
    """Load the page again until it shows this: clients are written every 5 seconds."""
    for _ in range(40):
        page.reload()
        if locator.count():
            return expect(locator.first).to_be_visible()
        page.wait_for_timeout(250)
    raise AssertionError(f"It was not told: {page.inner_text('main')}")


class TestADeadPassword:
    def test_use_of_an_old_password_is_reported_in_the_row_and_on_the_overview(self, tab, credential):
        old, connection = password_of(credential), tab.connection(credential)
        tab.press(credential, "Reset")
        tab.answer("OK")
        tab.told("SMTP password is reset.")
        assert connection.refusal(old) == 535  # twice: smtplib tries PLAIN, then LOGIN
        told = "127.0.0.1 still tries the password that was reset on"
        # The first of the two may be written a second before the other.
        soon(tab.page, tab.row(credential).get_by_text(re.compile(rf"{told}.*\(2 times, last just now\)\.")))
        tab.page.get_by_role("link", name="Overview").click()
        expect(tab.page.get_by_role("region", name="Needs attention")).to_contain_text(told)
        tab.page.get_by_role("region", name="Needs attention").get_by_role("link", name="Connect").click()
        expect(tab.page).to_have_url(smtp_url(credential, "page") + "#connect")
        expect(tab.page.get_by_role("row").filter(has_text="Reset on")).to_contain_text("127.0.0.1")

    def test_use_of_a_deleted_smtp_user_is_reported(self, window, alice, credential, tab):
        password, connection = password_of(credential), tab.connection(credential)
        credential.remove(by=SYSTEM)
        assert connection.refusal(password) == 535
        tab.page.goto(HOME)
        soon(tab.page, tab.page.get_by_text("127.0.0.1 still tries the deleted SMTP user"))

    def test_use_of_a_suspended_smtp_user_is_reported(self, tab, credential):
        password, connection = password_of(credential), tab.connection(credential)
        credential.suspend(by=SYSTEM)
        assert connection.refusal(password) == 535
        soon(tab.page, tab.row(credential).get_by_text("127.0.0.1 still tries this suspended SMTP user"))

    def test_wrong_password_is_not_a_retired_one(self, tab, credential):
        connection = tab.connection(credential)
        assert connection.refusal("wrong") == 535
        soon(tab.page, tab.row(credential).get_by_text("wrong password"))
        expect(tab.row(credential)).not_to_contain_text("still tries")


class TestRecentClients:
    def test_a_message_shows_ip_ehlo_and_mail_from(self, tab, credential):
        tab.open_page(credential)
        expect(tab.page.get_by_role("heading", name="No client in the last 30 days")).to_be_visible()
        connection = tab.connection(credential)
        connection.send(password_of(credential), "Who sends this", name="shop.example")
        tab.page.goto(smtp_url(credential, "page"))
        client = tab.page.get_by_role("row").filter(has_text="127.0.0.1")
        soon(tab.page, client.get_by_text("shop.example"))
        for told in ("info@sl.example.com", "1 accepted", "Just now"):
            expect(client).to_contain_text(told)
        expect(
            tab.page.get_by_role("img", name="1 login accepted and 0 refused in the last 30 days")
        ).to_be_visible()

    def test_a_name_from_the_network_is_text(self, tab, credential):
        connection = tab.connection(credential)
        connection.send(password_of(credential), "Hello", name=HOSTILE)
        tab.page.goto(smtp_url(credential, "page"))
        soon(tab.page, tab.page.get_by_text(HOSTILE))

    def test_the_chart_has_a_table_that_the_keyboard_opens(self, tab, credential):
        connection = tab.connection(credential)
        assert connection.refusal(password_of(credential)) is None
        tab.page.goto(HOME)
        soon(tab.page, tab.page.get_by_text("Show as table"))
        tab.page.get_by_text("Show as table").focus()
        tab.page.keyboard.press("Enter")
        rows = tab.page.get_by_role("table").get_by_role("row")
        expect(rows).to_have_count(2)
        assert rows.nth(1).inner_text().split()[2:] == ["1", "0"]

    def test_reset_names_today_s_clients_and_leads_to_them(self, tab, credential):
        assert tab.connection(credential).refusal(password_of(credential)) is None
        tab.page.goto(HOME)
        soon(tab.page, tab.page.get_by_text("Show as table"))
        tab.open().press(credential, "Reset")
        expect(tab.dialog).to_contain_text("1 client in the last 24 hours: 127.0.0.1")
        tab.dialog.get_by_role("link", name="1 client in the last 24 hours").click()
        expect(tab.page).to_have_url(smtp_url(credential, "page") + "#use")
        expect(tab.page.get_by_role("heading", name="Who uses it")).to_be_visible()
