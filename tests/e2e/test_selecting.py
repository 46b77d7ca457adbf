"""Several SMTP users are selected, and suspended or deleted together."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import make_credential, make_use, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def three(credential, domain):
    return [credential, make_credential(domain, label="Shop"), make_credential(domain, label="Blog")]


def pick(tab, *credentials):
    for credential in credentials:
        tab.row(credential).get_by_role("checkbox").check()


def bar(tab, name):
    return tab.page.locator("#chosen").get_by_role("button", name=name)


class TestChoosing:
    def test_two_selected_are_deleted_and_undo_restores_both(self, tab, three):
        tab.open()
        logins = [(tab.connection(each), password_of(each)) for each in three[1:]]
        pick(tab, *three[1:])
        bar(tab, "Delete").click()
        expect(tab.page.get_by_role("dialog", name="Delete SMTP Users")).to_be_visible()
        expect(tab.dialog.get_by_role("listitem")).to_have_text([re.compile("Shop"), re.compile("Blog")])
        tab.answer("OK")
        expect(tab.rows).to_have_count(1)
        assert [connection.refusal(password) for connection, password in logins] == [535, 535]
        toast = tab.page.locator(".toast", has_text="2 SMTP users deleted.")
        toast.get_by_role("button", name="Undo").click()
        tab.told("2 SMTP users restored.")
        expect(tab.rows).to_have_count(3)
        expect(toast).to_have_count(0)
        assert [connection.refusal(password) for connection, password in logins] == [None, None]

    def test_deleting_a_selected_used_one_needs_the_tick(self, tab, three):
        tab.open()
        connection, password = tab.connection(three[1]), password_of(three[1])
        make_use(three[1])
        pick(tab, *three)
        bar(tab, "Suspend").click()
        expect(tab.dialog).to_contain_text("In use:")
        tab.watch.expect(422)
        tab.dialog.get_by_role("button", name="OK").click()
        expect(tab.dialog).to_contain_text("Nothing was changed yet")
        tab.dialog.get_by_label("I understand that anything using them will stop sending.").check()
        tab.answer("OK")
        tab.told("3 SMTP users suspended.")
        expect(tab.page.locator(".badge.suspended")).to_have_count(3)
        assert connection.refusal(password) == 535

    def test_bar_counts_selects_all_and_clears(self, tab, three):
        tab.open()
        expect(bar(tab, "Delete")).to_be_hidden()
        everything, count = tab.page.get_by_label("Select all on this page"), tab.page.get_by_role("status")
        pick(tab, three[0])
        expect(count.get_by_text("1 selected")).to_be_visible()
        expect(everything).to_have_js_property("indeterminate", True)
        everything.check()
        expect(count.get_by_text("3 selected")).to_be_visible()
        tab.row(three[0]).get_by_role("checkbox").uncheck()
        expect(everything).not_to_be_checked()
        bar(tab, "Clear").click()
        expect(bar(tab, "Delete")).to_be_hidden()
        expect(everything).to_be_focused()
        assert not any(box.is_checked() for box in tab.page.get_by_role("checkbox").all())

    def test_selection_survives_cancel_and_ends_with_an_act(self, tab, three):
        tab.open()
        pick(tab, *three[:2])
        bar(tab, "Delete").click()
        tab.answer("Cancel")
        expect(bar(tab, "Delete")).to_be_focused()
        expect(tab.page.get_by_text("2 selected")).to_be_visible()
        bar(tab, "Delete").click()
        tab.answer("OK")
        expect(tab.rows).to_have_count(1)
        expect(bar(tab, "Delete")).to_be_hidden()

    def test_replaced_row_is_no_longer_selected(self, tab, three):
        tab.open()
        pick(tab, *three)
        tab.press(three[0], "Reset")
        tab.answer("OK")
        expect(tab.page.get_by_text("2 selected")).to_be_visible()

    def test_by_keyboard(self, tab, three):
        tab.open()
        tab.page.get_by_label("Select all on this page").focus()
        for key in ("Space", "Tab", "Tab", "Enter"):
            tab.page.keyboard.press(key)
        expect(tab.page.get_by_role("dialog", name="Delete SMTP Users")).to_be_visible()
        expect(tab.dialog.get_by_role("link", name="Cancel")).to_be_focused()
        tab.page.keyboard.press("Tab")
        tab.page.keyboard.press("Enter")
        expect(tab.rows).to_have_count(0)

    def test_without_javascript(self, open_tab, alice, three, domain):
        tab = open_tab(alice, java_script_enabled=False)
        bar(tab, "Delete").click()
        expect(tab.page.get_by_text("Select SMTP users first.")).to_be_visible()
        pick(tab, *three[:2])
        bar(tab, "Suspend").click()
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.page.get_by_text("2 SMTP users suspended.")).to_be_visible()
        pick(tab, *three)
        bar(tab, "Delete").click()
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.page.get_by_text("3 SMTP users deleted.")).to_be_visible()
        tab.page.get_by_role("button", name="Undo").click()
        expect(tab.rows).to_have_count(3)
        expect(tab.page).to_have_url(smtp_url(domain))
