"""Help page: Deleting SMTP Credentials."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_credential
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def ask(tab, credential):
    tab.press(credential, "Delete")
    expect(tab.dialog).to_be_visible()


class TestDeletingSMTPCredentials:
    def test_the_popup_asks_in_the_words_of_the_help_page(self, tab, credential):
        ask(tab, credential)
        expect(tab.page.get_by_role("dialog", name="Delete SMTP User")).to_be_visible()
        expect(tab.dialog).to_contain_text("Are you sure you want to delete this SMTP user?")
        expect(tab.dialog).to_contain_text("has to be reconnected")
        expect(tab.dialog).to_contain_text("It has never been used.")
        assert tab.dialog.locator(".btn").all_inner_texts() == ["Cancel", "OK"]

    def test_cancel_keeps_it(self, tab, credential, domain):
        ask(tab, credential)
        tab.answer("Cancel")
        expect(tab.row(credential)).to_be_visible()
        assert domain.credentials.count() == 1

    def test_ok_takes_the_row_away_and_the_mail_server_refuses_it(self, tab, credential, domain):
        kept = make_credential(domain)
        password, connection = tab.open().copied_password(credential), tab.connection(credential)
        assert connection.refusal(password) is None
        # The listener writes once a second.
        wait_until(lambda: type(credential).objects.filter(pk=credential.pk, last_used_at__isnull=False))
        ask(tab, credential)
        tab.tick()  # it was used a moment ago
        tab.answer("OK")
        tab.told("SMTP user is deleted.")
        expect(tab.row(credential)).to_have_count(0)
        expect(tab.row(kept)).to_be_visible()
        assert connection.refusal(password) == 535

    def test_after_the_last_one_a_new_one_can_be_added(self, tab, credential):
        ask(tab, credential)
        tab.answer("OK")
        expect(tab.page.get_by_role("heading", name="No SMTP credentials")).to_be_visible()
        expect(tab.rows).to_have_count(0)
        expect(tab.row(tab.add())).to_be_visible()
