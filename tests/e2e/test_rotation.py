"""A password change without downtime: both work, the row shows who still uses the old one, Revoke ends it."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import make_use, password_of
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
TICK = "I understand that anything using it will stop sending."


def reset(tab, credential, keep):
    tab.press(credential, "Reset")
    tab.dialog.get_by_label(keep).check()
    tab.answer("OK")
    tab.told("SMTP password is reset.")


class TestRotatingWithoutDowntime:
    def test_from_the_reset_until_the_old_password_is_revoked(self, tab, credential):
        old, connection = tab.copied_password(credential), tab.connection(credential)
        reset(tab, credential, "24 hours")
        row = tab.row(credential)
        expect(row).to_contain_text("not used since the reset")
        new = tab.copied_password(credential)
        assert new != old
        assert [connection.refusal(password) for password in (new, old)] == [None, None]
        used = re.compile(r"Old password works until .* · last used just now from 127\.0\.0\.1\.")
        wait_until(lambda: used.search(tab.open().row(credential).inner_text()))
        tab.press(credential, "Revoke old password now")
        expect(tab.dialog).to_contain_text("In use: the old password was last used just now from 127.0.0.1.")
        tab.tick()
        tab.answer("Revoke")
        tab.told("Old password revoked.")
        expect(row).not_to_contain_text("Old password works")
        assert [connection.refusal(password) for password in (new, old)] == [None, 535]

    def test_the_tick_is_there_only_while_something_would_stop(self, tab, credential):
        make_use(credential)
        tab.press(credential, "Reset")
        expect(tab.dialog.get_by_label(TICK)).to_be_visible()
        tab.dialog.get_by_label("7 days").check()
        expect(tab.dialog.get_by_label(TICK)).to_be_hidden()
        tab.answer("OK")
        tab.told("SMTP password is reset.")

    def test_by_keyboard(self, tab, credential):
        old = password_of(credential)
        tab.press(credential, "Reset")
        expect(tab.dialog.get_by_role("link", name="Cancel")).to_be_focused()
        for key in ("Shift+Tab", "ArrowDown", "Enter"):
            tab.page.keyboard.press(key)
        tab.told("SMTP password is reset.")
        assert tab.connection(credential).refusal(old) is None

    def test_without_javascript(self, open_tab, alice, credential):
        tab, old = open_tab(alice, java_script_enabled=False), password_of(credential)
        tab.press(credential, "Reset")
        tab.page.get_by_label("1 hour").check()
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.row(credential)).to_contain_text("Old password works until")
        assert tab.connection(credential).refusal(old) is None
        tab.press(credential, "Revoke old password now")
        tab.page.get_by_role("link", name="Cancel").click()
        tab.press(credential, "Revoke old password now")
        # The login shows within seconds: with the tick or without.
        wait_until(lambda: tab.page.reload() and tab.page.get_by_label(TICK).count())
        tab.page.get_by_label(TICK).check()
        tab.page.get_by_role("button", name="Revoke").click()
        expect(tab.page.get_by_text("Old password revoked.")).to_be_visible()
        assert tab.connection(credential).refusal(old) == 535
