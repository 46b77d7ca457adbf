"""Allowed networks, and refused logins in the row: with real logins from 127.0.0.1."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.e2e.test_clients import soon
from tests.factories import SYSTEM, password_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SECONDS = 60
ELSEWHERE = "192.0.2.0/24"


def refused_since(credential, before):
    """Wait until the listener, which writes every second, has written a refusal after that one."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        credential.refresh_from_db()
        if credential.last_refused_at != before:
            return
        time.sleep(0.1)
    raise AssertionError("no refusal was written")


def refuse(tab, credential, password):
    """Log in in vain; look at the row when it can show it."""
    before = credential.last_refused_at
    assert tab.connection(credential).refusal(password) == 535
    refused_since(credential, before)
    return tab.open().row(credential).locator(".row-note")


def set_networks(tab, credential, text):
    tab.open_page(credential).press(credential, "Edit allowed networks")
    row = tab.row(credential)
    row.get_by_label("Allowed networks").fill(text)
    row.get_by_role("button", name="Save").click()


class TestAllowedNetworks:
    def test_a_login_from_elsewhere_is_refused_until_they_are_cleared(self, tab, credential):
        password = password_of(credential)
        set_networks(tab, credential, ELSEWHERE)
        tab.told("Allowed networks saved.")
        expect(tab.row(credential)).to_contain_text(f"Allowed from: {ELSEWHERE}")
        note = refuse(tab, credential, password)
        expect(note.first).to_contain_text("Last refused just now from 127.0.0.1: network not allowed.")
        tab.press(credential, "Details")
        use = tab.page.get_by_role("region", name="Use in the last 30 days")
        expect(use.get_by_text("Network not allowed", exact=True)).to_be_visible()
        use.get_by_role("link", name="Edit allowed networks").click()
        field = tab.row(credential).get_by_label("Allowed networks")
        expect(field).to_have_value(ELSEWHERE)
        expect(field).to_be_focused()
        field.fill("")
        tab.row(credential).get_by_role("button", name="Save").click()
        expect(tab.row(credential)).to_contain_text("Allowed from: any address")
        assert tab.connection(credential).refusal(password) is None

    def test_a_login_from_within_is_accepted(self, tab, credential):
        set_networks(tab, credential, f"{ELSEWHERE}\n127.0.0.0/8\n::1")
        expect(tab.row(credential)).to_contain_text("192.0.2.0/24, 127.0.0.0/8 and 1 more")
        assert tab.connection(credential).refusal(password_of(credential)) is None

    def test_an_error_stays_beside_the_field(self, tab, credential):
        tab.watch.expect(422)
        set_networks(tab, credential, "192.0.2.7/24\nmail.example.com")
        field = tab.row(credential).get_by_label("Allowed networks")
        expect(field).to_have_accessible_description(re.compile("enter 192.0.2.0/24 for the whole network"))
        expect(field).to_have_accessible_description(re.compile("“mail.example.com” is not a network"))
        expect(field).to_be_focused()
        expect(field).to_have_value("192.0.2.7/24\nmail.example.com")
        field.fill("192.0.2.7")
        tab.row(credential).get_by_role("button", name="Save").click()
        expect(tab.row(credential)).to_contain_text("Allowed from: 192.0.2.7")

    def test_without_javascript_too(self, open_tab, alice, credential):
        tab = open_tab(alice, java_script_enabled=False).open_page(credential)
        tab.watch.expect(422)
        tab.press(credential, "Edit allowed networks")
        for typed in ("192.0.2.0/33", ELSEWHERE):
            tab.page.get_by_role("textbox", name="Allowed networks").fill(typed)
            tab.page.get_by_role("button", name="Save").click()
        expect(tab.page.get_by_text("Allowed networks saved.")).to_be_visible()
        expect(tab.row(credential)).to_contain_text(f"Allowed from: {ELSEWHERE}")


class TestRefusedLogins:
    def test_a_wrong_password_shows_in_the_row_with_its_details_on_the_page(self, tab, credential):
        expect(tab.row(credential).locator(".row-note")).to_have_count(0)
        note = refuse(tab, credential, "wrong")
        expect(note).to_contain_text("Last refused just now from 127.0.0.1: wrong password.")
        tab.press(credential, "Details")
        use = tab.page.get_by_role("region", name="Use in the last 30 days")
        # By PLAIN, then by LOGIN; the first of the two may be written a second before the other.
        soon(tab.page, use.filter(has_text="Wrong password 2 times"))

    def test_a_viewer_reads_the_details_without_javascript(self, open_tab, bob, credential):
        credential.suspend(by=SYSTEM)
        tab = open_tab(bob, java_script_enabled=False)
        expect(refuse(tab, credential, password_of(credential)).last).to_contain_text("suspended")
        tab.press(credential, "Details")
        expect(tab.page.get_by_role("heading", name="Refused logins")).to_be_visible()
        tab.page.get_by_role("link", name="SMTP Credentials").click()
        expect(tab.page.locator("tr").get_by_text(credential.username)).to_be_visible()
