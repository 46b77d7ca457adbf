"""A label says which site uses an SMTP user: the row of a new one asks for it."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import SYSTEM, make_credential
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

INVISIBLE = "\u200b"


@pytest.fixture
def row(tab):
    """The row of an SMTP user that was added just now."""
    return tab.row(tab.add())


def field(row):
    return row.get_by_role("textbox", name=re.compile("Label of"))


def name(row, label):
    return row.get_by_role("link", name=label, exact=True)


class TestLabelOfNewRow:
    @pytest.mark.parametrize("others", [0, 4])
    def test_new_row_opens_with_its_label_field(self, open_tab, alice, domain, others):
        for _ in range(others):
            make_credential(domain)
        tab = open_tab(alice)
        tab.page.get_by_role("button", name="Add New SMTP User").click()
        expect(tab.page.get_by_role("textbox", name="Label of the new SMTP user")).to_be_focused()
        tab.page.keyboard.type("Office printer")
        tab.page.keyboard.press("Enter")
        made = domain.credentials.latest("pk")
        expect(name(tab.row(made), "Office printer")).to_be_focused()
        tab.told("Label saved.")
        made.refresh_from_db()
        assert made.label == "Office printer"

    def test_save_shows_once_something_is_typed(self, row):
        expect(row.get_by_role("button", name="Save")).to_be_hidden()
        field(row).fill("Shop")
        row.get_by_role("button", name="Save").click()
        expect(name(row, "Shop")).to_be_visible()

    def test_escape_leaves_it_unnamed(self, row):
        field(row).press("Escape")
        expect(row.get_by_role("link", name="Unnamed")).to_be_focused()
        expect(field(row)).to_have_count(0)

    def test_an_error_stands_beside_the_field_with_what_was_typed(self, tab, row):
        tab.watch.expect(422)
        field(row).fill(f"Shop{INVISIBLE}")
        field(row).press("Enter")
        expect(field(row)).to_have_accessible_description(re.compile("Remove the invisible"))
        expect(field(row)).to_have_attribute("aria-invalid", "true")
        expect(field(row)).to_be_focused()
        expect(field(row)).to_have_value(f"Shop{INVISIBLE}")
        field(row).fill("Shop")
        field(row).press("Enter")
        expect(name(row, "Shop")).to_be_visible()

    def test_no_more_than_80_characters_can_be_typed(self, tab, row):
        field(row).focus()
        tab.page.keyboard.insert_text("x" * 90)
        expect(field(row)).to_have_value("x" * 80)

    def test_label_given_elsewhere_is_reported_and_keeps_typed_text(self, tab, row, domain):
        tab.watch.expect(409)
        domain.credentials.latest("pk").rename("Blog", by=SYSTEM)
        field(row).fill("Store")
        field(row).press("Enter")
        expect(row.get_by_text("the label was changed to “Blog” in the meantime")).to_be_visible()
        expect(field(row)).to_have_value("Store")
        field(row).press("Enter")
        expect(name(row, "Store")).to_be_visible()

    def test_label_of_a_credential_deleted_elsewhere_is_reported_and_removes_the_row(self, tab, row, domain):
        tab.watch.expect(404)
        domain.credentials.latest("pk").remove(by=SYSTEM)
        field(row).fill("Shop")
        field(row).press("Enter")
        tab.told("This SMTP user no longer exists.")
        expect(row).to_have_count(0)

    def test_a_server_that_is_away_is_named_and_nothing_typed_is_lost(self, tab, row):
        tab.page.context.set_offline(True)
        field(row).fill("Shop")
        field(row).press("Enter")
        tab.told("The server can't be reached. Check your connection and try again.")
        tab.page.context.set_offline(False)
        tab.watch.problems.clear()
        expect(field(row)).to_have_value("Shop")
        row.get_by_role("button", name="Save").click()
        expect(name(row, "Shop")).to_be_visible()


class TestLabelOnThePage:
    def test_label_is_edited_beside_the_title(self, tab, credential):
        tab.open_page(credential).watch.expect(422)
        tab.row(credential).get_by_role("link", name="Add label").click()
        box = tab.page.get_by_role("textbox", name="Label")
        expect(box).to_be_focused()
        box.fill(f"Shop{INVISIBLE}")
        tab.page.get_by_role("button", name="Save").click()
        expect(box).to_have_accessible_description(re.compile("Remove the invisible"))
        expect(box).to_have_value(f"Shop{INVISIBLE}")
        box.fill("Shop")
        box.press("Enter")
        expect(tab.page.get_by_role("heading", name="Shop")).to_be_visible()
        expect(tab.row(credential).get_by_role("link", name="Edit label")).to_be_focused()
        tab.told("Label saved.")
        expect(tab.page).to_have_url(smtp_url(credential, "page"))

    def test_without_javascript(self, open_tab, alice, credential):
        tab = open_tab(alice, java_script_enabled=False)
        tab.open_page(credential)
        tab.row(credential).get_by_role("link", name="Add label").click()
        expect(tab.page).to_have_url(smtp_url(credential, "page") + "?edit=label")
        tab.page.get_by_role("textbox", name="Label").fill(f"a{INVISIBLE}")
        tab.watch.expect(422)
        tab.page.get_by_role("button", name="Save").click()
        expect(tab.page.get_by_text("Remove the invisible")).to_be_visible()
        tab.page.get_by_role("textbox", name="Label").fill("Shop")
        tab.page.get_by_role("button", name="Save").click()
        expect(tab.page.get_by_role("heading", name="Shop")).to_be_visible()
