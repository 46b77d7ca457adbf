"""A password change without downtime: both work, the page shows who uses which, Revoke ends it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from credentials.models import Credential, LoginDay
from tests.factories import make_use, password_of
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
TICK = "I understand that anything using it will stop sending."
HOUR = timedelta(hours=1)


def reset(tab, credential, keep):
    tab.press(credential, "Reset")
    tab.dialog.get_by_label(keep).check()
    tab.answer("OK")
    tab.told("SMTP password is reset.")


def hours_pass(hours):
    """As if the reset and all logins so far had been that long ago."""
    for row in Credential.objects.all():
        earlier = row.password_changed_at - hours * HOUR
        Credential.objects.update(
            password_changed_at=earlier, previous_valid_until=row.previous_valid_until - hours * HOUR
        )
    for row in LoginDay.objects.exclude(previous_at=None):
        LoginDay.objects.filter(pk=row.pk).update(
            first_at=row.first_at - hours * HOUR, previous_at=row.previous_at - hours * HOUR
        )


class TestRotatingWithoutDowntime:
    def test_from_the_reset_until_the_old_password_is_revoked(self, tab, credential):
        make_use(credential, "127.0.0.1", at=timezone.now() - timedelta(days=2))
        tab.open_page(credential)
        old, connection = tab.copied_password(credential), tab.connection(credential)
        reset(tab, credential, "24 hours")
        box = tab.page.get_by_role("region", name="Two passwords work until")
        expect(box).to_contain_text("The site has not logged in since the reset")
        expect(box).to_contain_text("don’t revoke it yet")
        new = tab.copied_password(credential)
        assert new != old
        assert connection.refusal(old) is None
        still = "Don’t revoke it yet. 127.0.0.1 still uses the old password, last just now."
        wait_until(lambda: tab.open_page(credential) and still in box.inner_text())
        hours_pass(7)  # a quarter of the grace period is 6
        assert connection.refusal(new) is None
        safe = "the reset, 127.0.0.1, has logged in with the new password since."
        wait_until(lambda: tab.open_page(credential) and safe in box.inner_text())
        box.get_by_role("link", name="Revoke old password").click()
        expect(tab.dialog).to_contain_text("It’s safe to revoke the old password.")
        tab.tick()
        tab.answer("Revoke")
        tab.told("Old password revoked.")
        expect(box).to_have_count(0)
        assert [connection.refusal(password) for password in (new, old)] == [None, 535]

    def test_row_of_the_list_leads_to_who_uses_which(self, tab, credential):
        reset(tab, credential, "7 days")
        expect(tab.row(credential)).to_contain_text("Old password works until")
        tab.page.locator(f"a[href$='{credential.username}/#rotation']").click()
        expect(tab.page).to_have_url(re.compile("#rotation$"))

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
        tab.open_page(credential).press(credential, "Reset")
        tab.page.get_by_label("1 hour").check()
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.page.get_by_text("SMTP password is reset.")).to_be_visible()
        expect(tab.row(credential)).to_contain_text("Two passwords work until")
        assert tab.connection(credential).refusal(old) is None
        tab.press(credential, "Revoke old password")
        tab.page.get_by_role("link", name="Cancel").click()
        tab.press(credential, "Revoke old password")
        # The login shows within seconds: with the tick or without.
        wait_until(lambda: tab.page.reload() and tab.page.get_by_label(TICK).count())
        tab.page.get_by_label(TICK).check()
        tab.page.get_by_role("button", name="Revoke").click()
        expect(tab.page.get_by_text("Old password revoked.")).to_be_visible()
        assert tab.connection(credential).refusal(old) == 535
