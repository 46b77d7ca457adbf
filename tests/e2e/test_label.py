"""A label says which site uses an SMTP user. It is edited in its row."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_keyboard import tab_to
from tests.factories import SYSTEM
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

INVISIBLE = "\u200b"


@pytest.fixture
def row(tab, credential):
    return tab.row(credential)


@pytest.fixture
def shop(tab, credential):
    """The tab again, with a credential that is called Shop."""
    credential.rename("Shop", by=SYSTEM)
    return tab.open()


def field(row):
    return row.get_by_role("textbox", name="Label of SMTP user")


def link(row, name="Edit label"):
    return row.get_by_role("link", name=name)


def save(row, label):
    field(row).fill(label)
    row.get_by_role("button", name="Save").click()


def selected(page):
    return page.evaluate("getSelection().toString()")


class TestLabel:
    def test_label_is_added_and_edited_in_its_row(self, tab, row):
        for name, label in (("Add label", "WooCommerce store"), ("Edit label", "Newsletter")):
            link(row, name).click()
            expect(field(row)).to_be_focused()
            save(row, label)
            expect(row.locator(".cred-title bdi")).to_have_text(label)
            expect(field(row)).to_have_count(0)
            expect(link(row)).to_be_focused()
            tab.told("Label saved.")

    def test_the_label_itself_is_a_way_to_edit_it_and_blank_removes_it(self, shop, row):
        row.get_by_text("Shop", exact=True).click()
        expect(field(row)).to_have_value("Shop")
        expect(row.locator(".cred-title")).to_be_hidden()
        save(row, "")
        expect(row.locator(".cred-title")).to_contain_text("Unnamed")

    def test_by_keyboard_alone(self, shop, row):
        page = shop.page
        tab_to(page, link(row))
        page.keyboard.press("Enter")
        expect(field(row)).to_be_focused()
        assert selected(page) == "Shop"
        page.keyboard.type("Blog")
        page.keyboard.press("Enter")
        expect(row.locator(".cred-title bdi")).to_have_text("Blog")
        expect(link(row)).to_be_focused()

    @pytest.mark.parametrize("way", ["Escape", "Cancel"])
    def test_escape_and_cancel_change_nothing_and_the_focus_returns(self, shop, row, credential, way):
        link(row).click()
        field(row).fill("Blog")
        if way == "Escape":
            shop.page.keyboard.press(way)
        else:
            tab_to(shop.page, row.get_by_role("link", name=way))
            shop.page.keyboard.press("Enter")
        expect(row.locator(".cred-title bdi")).to_have_text("Shop")
        expect(field(row)).to_have_count(0)
        expect(link(row)).to_be_focused()
        credential.refresh_from_db()
        assert credential.label == "Shop"

    def test_an_error_stands_beside_the_field_with_what_was_typed(self, tab, row):
        tab.watch.expect(422)
        link(row, "Add label").click()
        save(row, f"Shop{INVISIBLE}")
        expect(field(row)).to_have_accessible_description(re.compile("Remove the invisible"))
        expect(field(row)).to_have_attribute("aria-invalid", "true")
        expect(field(row)).to_be_focused()
        expect(field(row)).to_have_value(f"Shop{INVISIBLE}")
        save(row, "Shop")
        expect(row.locator(".cred-title bdi")).to_have_text("Shop")

    def test_no_more_than_80_characters_can_be_typed(self, tab, row):
        link(row, "Add label").click()
        field(row).fill("")
        tab.page.keyboard.insert_text("x" * 90)
        expect(field(row)).to_have_value("x" * 80)

    def test_pressed_twice_it_opens_once(self, tab, row):
        link(row, "Add label").dblclick()
        expect(field(row)).to_be_focused()
        expect(field(row)).to_have_count(1)


class TestLabelOfTwoTabs:
    def test_label_changed_elsewhere_is_reported_and_keeps_typed_text(self, shop, row, credential):
        shop.watch.expect(409)
        link(row).click()
        expect(field(row)).to_be_focused()
        credential.rename("Blog", by=SYSTEM)
        save(row, "Store")
        expect(row.get_by_text("the label was changed to “Blog” in the meantime")).to_be_visible()
        expect(field(row)).to_have_value("Store")
        save(row, "Store")
        expect(row.locator(".cred-title bdi")).to_have_text("Store")

    def test_cancel_then_shows_the_label_of_the_other_one(self, shop, row, credential):
        shop.watch.expect(409)
        link(row).click()
        expect(field(row)).to_be_focused()
        credential.rename("Blog", by=SYSTEM)
        save(row, "Store")
        expect(row.get_by_text("the label was changed to “Blog” in the meantime")).to_be_visible()
        shop.page.keyboard.press("Escape")
        expect(row.locator(".cred-title bdi")).to_have_text("Blog")
        expect(link(row)).to_be_focused()

    @pytest.mark.parametrize("when", ["before", "while"])
    def test_label_of_a_credential_deleted_elsewhere_is_reported_and_removes_the_row(
        self, tab, row, credential, when
    ):
        tab.watch.expect(404)
        if when == "while":
            link(row, "Add label").click()
            expect(field(row)).to_be_focused()
        credential.remove(by=SYSTEM)
        save(row, "Shop") if when == "while" else link(row, "Add label").click()
        tab.told("This SMTP user no longer exists.")
        expect(row).to_have_count(0)

    def test_a_server_that_is_away_is_named_and_nothing_typed_is_lost(self, tab, row):
        link(row, "Add label").click()
        tab.page.context.set_offline(True)
        save(row, "Shop")
        tab.told("The server can't be reached. Check your connection and try again.")
        tab.page.context.set_offline(False)
        tab.watch.problems.clear()
        expect(field(row)).to_have_value("Shop")
        row.get_by_role("button", name="Save").click()
        expect(row.locator(".cred-title bdi")).to_have_text("Shop")


class TestLabelOnThePage:
    def test_label_is_edited_beside_the_title(self, tab, credential):
        tab.open_page(credential).watch.expect(422)
        link(tab.row(credential), "Add label").click()
        box = tab.page.get_by_role("textbox", name="Label")
        expect(box).to_be_focused()
        box.fill(f"Shop{INVISIBLE}")
        tab.page.get_by_role("button", name="Save").click()
        expect(box).to_have_accessible_description(re.compile("Remove the invisible"))
        expect(box).to_have_value(f"Shop{INVISIBLE}")
        box.fill("Shop")
        box.press("Enter")
        expect(tab.page.get_by_role("heading", name="Shop")).to_be_visible()
        expect(link(tab.row(credential))).to_be_focused()
        tab.told("Label saved.")
        expect(tab.page).to_have_url(smtp_url(credential, "page"))

    def test_without_javascript(self, open_tab, alice, credential):
        tab = open_tab(alice, java_script_enabled=False)
        tab.press(credential, "Add label")
        expect(tab.page).to_have_url(smtp_url(credential, "page") + "?edit=label")
        tab.page.get_by_role("textbox", name="Label").fill(f"a{INVISIBLE}")
        tab.watch.expect(422)
        tab.page.get_by_role("button", name="Save").click()
        expect(tab.page.get_by_text("Remove the invisible")).to_be_visible()
        tab.page.get_by_role("textbox", name="Label").fill("Shop")
        tab.page.get_by_role("button", name="Save").click()
        expect(tab.page.get_by_role("heading", name="Shop")).to_be_visible()
