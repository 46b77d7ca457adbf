"""Help page: Resetting Your SMTP Password."""

import pytest
from playwright.sync_api import expect

from tests.factories import password_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def ask(tab, credential):
    tab.press(credential, "Reset")
    expect(tab.dialog).to_be_visible()


class TestResettingYourSMTPPassword:
    def test_the_popup_asks_in_the_words_of_the_help_page(self, tab, credential):
        ask(tab, credential)
        expect(tab.page.get_by_role("dialog", name="Reset SMTP Password")).to_be_visible()
        expect(tab.dialog).to_contain_text("Are you sure you want to reset password for this SMTP user?")
        expect(tab.dialog).to_contain_text(credential.short_username)
        assert tab.dialog.locator(".btn").all_inner_texts() == ["Cancel", "OK"]

    def test_cancel_is_focused_first_and_changes_nothing(self, tab, credential):
        before = password_of(credential)
        ask(tab, credential)
        expect(tab.dialog.get_by_role("link", name="Cancel")).to_be_focused()
        tab.page.keyboard.press("Enter")
        expect(tab.dialog).to_be_hidden()
        assert password_of(credential) == before

    def test_escape_closes_it_and_the_focus_returns_to_the_link(self, tab, credential):
        ask(tab, credential)
        tab.page.keyboard.press("Escape")
        expect(tab.dialog).to_be_hidden()
        expect(tab.row(credential).get_by_role("link", name="Reset")).to_be_focused()

    def test_ok_makes_a_new_password(self, tab, credential):
        old = tab.copied_password(credential)
        ask(tab, credential)
        tab.answer("OK")
        tab.told("SMTP password is reset.")
        expect(tab.row(credential)).to_contain_text("Reset just now")
        new = tab.copied_password(credential)
        connection = tab.connection(credential)
        assert connection.refusal(old) == 535
        assert connection.refusal(new) is None

    def test_a_shown_password_is_the_new_one_after_a_reset(self, tab, credential):
        tab.press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(old := password_of(credential))
        ask(tab, credential)
        tab.answer("OK")
        expect(tab.row(credential)).not_to_contain_text(old)
        tab.press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(password_of(credential))
