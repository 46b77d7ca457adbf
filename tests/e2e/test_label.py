"""A label says which site uses a set of credentials."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import SYSTEM

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

INVISIBLE = "\u200b"


def save(tab, label):
    tab.dialog.get_by_label("Label").fill(label)
    tab.dialog.get_by_role("button", name="Save").click()


class TestLabel:
    def test_it_is_added_and_edited_in_a_popup(self, tab, credential):
        for link, label in (("Add label", "WooCommerce store"), ("Edit label", "Newsletter")):
            tab.press(credential, link)
            expect(tab.dialog.get_by_label("Label")).to_be_focused()
            save(tab, label)
            tab.told("Label is saved.")
            expect(tab.dialog).to_be_hidden()
            expect(tab.row(credential).locator(".cred-title")).to_contain_text(label)

    def test_the_field_holds_the_present_label_and_blank_removes_it(self, tab, credential):
        credential.rename("Shop", by=SYSTEM)
        tab.open().press(credential, "Edit label")
        expect(tab.dialog.get_by_label("Label")).to_have_value("Shop")
        save(tab, "")
        expect(tab.row(credential)).to_contain_text("Unnamed")

    def test_an_error_stays_in_the_popup_beside_the_field(self, tab, credential):
        tab.watch.expect(422)
        tab.press(credential, "Add label")
        save(tab, f"Shop{INVISIBLE}")
        field = tab.dialog.get_by_label("Label")
        expect(field).to_have_accessible_description(re.compile("Remove the invisible"))
        expect(field).to_be_focused()
        expect(field).to_have_value(f"Shop{INVISIBLE}")
        save(tab, "Shop")
        expect(tab.dialog).to_be_hidden()
        expect(tab.row(credential)).to_contain_text("Shop")
