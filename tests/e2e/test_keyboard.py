"""Everything works with the keyboard alone."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

MOST_TABS = 40


def tab_to(page, locator, key="Tab"):
    """Press Tab until the element, once it is shown, has the focus."""
    expect(locator).to_be_visible()
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        if locator.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {locator}")


class TestKeyboard:
    def test_the_first_tab_skips_to_the_content(self, tab):
        tab.page.keyboard.press("Tab")
        expect(tab.page.get_by_role("link", name="Skip to content")).to_be_focused()
        tab.page.keyboard.press("Enter")
        expect(tab.page.locator("main")).to_be_focused()

    def test_reset_by_tab_and_enter(self, tab, credential):
        tab_to(tab.page, tab.row(credential).get_by_role("link", name="Reset"))
        tab.page.keyboard.press("Enter")
        tab_to(tab.page, tab.dialog.get_by_role("button", name="OK"))
        tab.page.keyboard.press("Enter")
        tab.told("SMTP password is reset.")

    def test_the_popup_keeps_the_focus_until_escape(self, tab, credential):
        reset = tab.row(credential).get_by_role("link", name="Reset")
        tab_to(tab.page, reset)
        tab.page.keyboard.press("Enter")
        expect(tab.dialog.get_by_role("link", name="Cancel")).to_be_focused()
        for _ in range(6):
            tab.page.keyboard.press("Tab")
            inside = "['BODY', 'DIALOG'].includes(document.activeElement.tagName)"
            assert tab.page.evaluate(f"{inside} || !!document.activeElement.closest('dialog')")
        tab.page.keyboard.press("Escape")
        expect(reset).to_be_focused()

    def test_the_keyboards_place_is_not_lost_when_the_row_goes(self, tab, credential):
        tab_to(tab.page, tab.row(credential).get_by_role("link", name="Delete"))
        tab.page.keyboard.press("Enter")
        tab_to(tab.page, tab.dialog.get_by_role("button", name="OK"))
        tab.page.keyboard.press("Enter")
        expect(tab.rows).to_have_count(0)
        expect(tab.page.locator("main")).to_be_focused()

    @pytest.mark.parametrize("name", ["Show Password", "Copy password"])
    def test_a_pressed_button_keeps_the_focus(self, tab, credential, name):
        button = tab.row(credential).get_by_role("button", name=name)
        tab_to(tab.page, button)
        handle = button.element_handle()
        tab.page.keyboard.press("Space")
        expect(tab.row(credential).get_by_text("Hide Password").or_(tab.page.locator(".toast"))).to_be_visible()
        assert handle.evaluate("button => button === document.activeElement")

    def test_several_are_added_and_labelled(self, tab):
        add = tab.page.get_by_role("button", name="Add New SMTP User")
        for count, label in ((2, "Shop"), (3, "Blog")):
            tab_to(tab.page, add, key="Shift+Tab" if count > 2 else "Tab")
            tab.page.keyboard.press("Enter")
            expect(tab.rows).to_have_count(count)
            expect(tab.page.get_by_role("textbox", name="Label of the new SMTP user")).to_be_focused()
            tab.page.keyboard.type(label)
            tab.page.keyboard.press("Enter")
            expect(tab.rows.last.get_by_role("link", name=label, exact=True)).to_be_focused()

    def test_the_account_menu_by_arrows_and_back(self, tab):
        summary = tab.page.get_by_label("Account menu")
        tab_to(tab.page, summary)
        tab.page.keyboard.press("Enter")
        for key, name in (("ArrowDown", "Account"), ("End", "Sign out"), ("Home", "Account")):
            tab.page.keyboard.press(key)
            expect(tab.page.locator(".account-menu .menu-item", has_text=name).first).to_be_focused()
        tab.page.keyboard.press("Escape")
        expect(summary).to_be_focused()
        expect(tab.page.get_by_role("button", name="Sign out")).to_be_hidden()

    def test_a_message_is_dismissed(self, tab, credential):
        tab.press(credential, "Copy username")
        dismiss = tab.page.get_by_role("button", name="Dismiss")
        expect(dismiss).to_be_visible()
        dismiss.focus()
        tab.page.keyboard.press("Enter")
        expect(tab.page.locator(".toast")).to_have_count(0)
