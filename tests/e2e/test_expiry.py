"""The expiry date: set on the page of an SMTP user, refused after it, extended with one click."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from credentials.models import Credential
from tests.factories import password_of
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def day(**later):
    return (timezone.localdate() + timedelta(**later)).isoformat()


def expire(tab, credential, days):
    Credential.objects.update(expires_at=timezone.now() + timedelta(days=days))
    return tab.open_page(credential)


class TestExpiry:
    def test_a_date_is_set_and_removed(self, tab, credential):
        tab.open_page(credential).watch.expect(422)
        tab.press(credential, "Edit expiry date")
        row = tab.row(credential)
        box = row.get_by_label("Expires after")
        expect(box).to_be_focused()
        box.fill(day(days=-1))
        row.get_by_role("button", name="Save").click()
        expect(row.locator(".error")).to_contain_text("This date has passed.")
        expect(box).to_be_focused()
        box.fill(chosen := day(days=5))
        row.get_by_role("button", name="Save").click()
        tab.told("Expiry date saved.")
        expect(row.get_by_text(re.compile("^Expires in [54] days$"))).to_be_visible()  # 4 after midnight
        expect(tab.page).to_have_url(re.compile(f"/{credential.username}/$"))
        assert tab.connection(credential).refusal(password_of(credential)) is None
        tab.press(credential, "Edit expiry date")
        expect(box).to_have_value(chosen)
        box.fill("")
        row.get_by_role("button", name="Save").click()
        tab.told("Expiry date removed.")
        expect(row).to_contain_text("Expires: never")

    def test_expired_smtp_user_is_refused_until_extended(self, tab, credential):
        password, connection = password_of(credential), tab.connection(credential)
        expire(tab, credential, -1)
        assert connection.refusal(password) == 535
        expect(tab.row(credential).get_by_text("Expired", exact=True)).to_be_visible()
        tab.press(credential, "Extend by 90 days")
        tab.told("SMTP user extended by 90 days.")
        expect(tab.row(credential).get_by_role("button", name="Extend by 90 days")).to_have_count(0)
        assert connection.refusal(password) is None

    def test_without_javascript(self, open_tab, alice, credential):
        tab = expire(open_tab(alice, java_script_enabled=False), credential, -1)
        tab.press(credential, "Extend by 90 days")
        expect(tab.page.get_by_text("SMTP user extended by 90 days.")).to_be_visible()
        assert tab.connection(credential).refusal(password_of(credential)) is None
        tab.press(credential, "Edit expiry date")
        tab.page.get_by_label("Expires after").fill(day(days=1))
        wait_until(lambda: Credential.objects.get(pk=credential.pk).last_used_at)
        tab.watch.expect(422)
        tab.page.get_by_role("button", name="Save").click()
        tab.page.get_by_label("I understand that anything using it will stop sending.").check()
        tab.page.get_by_role("button", name="Save").click()
        expect(tab.page).to_have_url(re.compile("#limits$"))
        expect(tab.row(credential).get_by_text(re.compile("^Expires (tomorrow|today)$"))).to_be_visible()
