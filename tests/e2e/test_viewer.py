"""A viewer sees everything, and no control for what viewers can't do."""

import pytest
from playwright.sync_api import expect

from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


class TestViewer:
    def test_viewer_sees_rows_without_password_controls(self, open_tab, bob, credential):
        row = open_tab(bob).row(credential)
        expect(row).to_contain_text(credential.username)
        links = ["Unnamed", "Connect your site", "Details"]
        expect(row.get_by_role("link")).to_have_text(links)
        names = [button.get_attribute("aria-label") for button in row.get_by_role("button").all()]
        assert names == [f"Copy username of {credential.short_username}", "Copy host", "Copy port"]

    def test_viewer_has_no_add_or_delete_buttons(self, open_tab, bob, credential):
        tab = open_tab(bob)
        expect(tab.page.get_by_role("button", name="Add New SMTP User")).to_have_count(0)
        assert tab.page.locator("thead th").all_inner_texts() == ["CREDENTIALS", "LAST USED", "DATE CREATED"]

    def test_an_address_from_elsewhere_is_not_allowed(self, open_tab, bob, credential):
        tab = open_tab(bob)
        tab.watch.expect(403)
        for act in ("reveal", "reset", "delete", "label", "networks"):
            tab.page.goto(smtp_url(credential, act))
            expect(tab.page.get_by_role("heading", name="Not allowed")).to_be_visible()
