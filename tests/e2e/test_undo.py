"""A deleted SMTP user is restored: by Undo in the toast, and from Recently deleted for 24 hours."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import session_cookie
from tests.factories import SYSTEM, make_credential, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def delete(tab, credential):
    tab.press(credential, "Delete")
    expect(tab.dialog).to_be_visible()
    tab.answer("OK")


def offer(tab, text="SMTP user is deleted."):
    return tab.page.locator(".toast", has_text=text)


def undo(tab, text="SMTP user is deleted."):
    offer(tab, text).get_by_role("button", name="Undo").click()


class TestUndo:
    def test_brings_it_back_with_the_same_password(self, tab, credential):
        password, connection = password_of(credential), tab.connection(credential)
        delete(tab, credential)
        expect(tab.rows).to_have_count(0)
        assert connection.refusal(password) == 535
        undo(tab)
        tab.told("SMTP user restored.")
        expect(tab.row(credential)).to_be_visible()
        expect(offer(tab)).to_have_count(0)
        assert connection.refusal(password) is None
        assert tab.copied_password(credential) == password

    def test_is_the_next_that_the_keyboard_reaches(self, tab, credential):
        delete(tab, credential)
        expect(tab.page.locator("main")).to_be_focused()
        tab.page.keyboard.press("Tab")
        expect(offer(tab).get_by_role("button", name="Undo")).to_be_focused()
        tab.page.keyboard.press("Enter")
        expect(tab.row(credential)).to_be_visible()
        expect(tab.page.locator("main")).to_be_focused()

    def test_undo_toast_stays_while_hovered_or_focused(self, open_tab, alice, credential):
        tab = open_tab(alice, name="with a clock of its own")
        tab.page.clock.install()
        tab.open()
        delete(tab, credential)
        button = offer(tab).get_by_role("button", name="Undo")
        tab.page.clock.run_for(10_000)  # half of its time: the clock goes on meanwhile
        button.focus()
        tab.page.clock.run_for(60_000)
        expect(button).to_be_visible()
        tab.page.locator("main").focus()
        tab.page.clock.run_for(10_000)
        button.hover()
        tab.page.clock.run_for(60_000)
        expect(button).to_be_visible()
        tab.page.mouse.move(1, 1)
        tab.page.clock.run_for(21_000)
        expect(offer(tab)).to_have_count(0)

    def test_undo_of_one_of_two_deletes_restores_that_one(self, tab, credential, domain):
        other = make_credential(domain)
        tab.open()
        for each in (credential, other):
            delete(tab, each)
            expect(tab.row(each)).to_have_count(0)
        offer(tab).first.get_by_role("button", name="Undo").click()
        expect(tab.row(credential)).to_be_visible()
        expect(tab.row(other)).to_have_count(0)
        expect(offer(tab)).to_have_count(1)

    def test_in_a_second_tab_says_that_it_is_restored_already(self, tab, credential):
        delete(tab, credential)
        expect(tab.rows).to_have_count(0)
        credential.domain.deleted_credentials.get().restore(by=SYSTEM)
        tab.watch.expect(404)
        undo(tab)
        tab.told("Nothing was restored")
        expect(tab.row(credential)).to_be_visible()

    def test_does_not_ask_to_sign_in_again_right_after(self, tab, alice, credential, site):
        delete(tab, credential)
        tab.page.context.add_cookies([session_cookie(alice, site.url, ago=timedelta(hours=1))])
        undo(tab)
        tab.told("SMTP user restored.")


class TestRecentlyDeleted:
    def open(self, tab):
        tab.page.get_by_role("link", name="Recently deleted").click()
        expect(tab.page.get_by_role("heading", name="Recently deleted")).to_be_visible()

    def test_restores_it_with_the_same_password(self, tab, credential):
        password, connection = password_of(credential), tab.connection(credential)
        delete(tab, credential)
        tab.told("SMTP user is deleted.")
        self.open(tab)
        row = tab.page.locator("tr", has_text=credential.username)
        expect(row).to_contain_text("in 24 hours")
        expect(row).to_contain_text("alice@example.com")
        assert connection.refusal(password) == 535
        row.get_by_role("button", name="Restore").click()
        tab.told("SMTP user restored.")
        expect(tab.row(credential)).to_be_visible()
        assert connection.refusal(password) is None

    def test_erases_it_at_once_when_asked(self, tab, credential, domain):
        delete(tab, credential)
        tab.told("SMTP user is deleted.")
        self.open(tab)
        tab.page.get_by_role("link", name=re.compile("Erase")).click()
        tab.dialog.get_by_role("link", name="Cancel").click()
        expect(tab.dialog).to_be_hidden()
        tab.page.get_by_role("link", name=re.compile("Erase")).click()
        tab.dialog.get_by_role("button", name="Erase now").click()
        tab.told("SMTP user erased.")
        expect(tab.page.get_by_role("heading", name="Nothing was deleted in the last 24 hours")).to_be_visible()
        assert not domain.deleted_credentials.exists()

    def test_without_javascript(self, open_tab, alice, credential):
        tab = open_tab(alice, java_script_enabled=False)
        tab.press(credential, "Delete")
        tab.page.get_by_role("button", name="OK").click()
        undo(tab)
        expect(tab.page.get_by_text("SMTP user restored.")).to_be_visible()
        tab.press(credential, "Delete")
        tab.page.get_by_role("button", name="OK").click()
        self.open(tab)
        tab.page.get_by_role("button", name="Restore").click()
        expect(tab.row(credential)).to_be_visible()

    def test_asks_a_viewer_nothing(self, open_tab, bob, credential, domain):
        credential.remove(by=SYSTEM)
        tab = open_tab(bob)
        self.open(tab)
        expect(tab.page.get_by_text(domain.deleted_credentials.get().username)).to_be_visible()
        expect(tab.page.get_by_role("button", name="Restore")).to_have_count(0)


class TestExport:
    def test_downloads_what_the_search_shows(self, tab, domain):
        make_credential(domain, label="Shop")
        tab.open("?q=shop")
        with tab.page.expect_download() as download:
            tab.page.get_by_role("link", name="Export CSV").click()
        assert download.value.suggested_filename == "sl.example.com-smtp-credentials.csv"
        lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert len(lines) == 2 and lines[1].startswith('"Shop",')

    def test_downloads_the_activity(self, tab, domain):
        tab.page.goto(smtp_url(domain).replace("settings/smtp", "activity"))
        with tab.page.expect_download() as download:
            tab.page.get_by_role("link", name="Export CSV").click()
        assert download.value.suggested_filename == "sl.example.com-activity.csv"
