"""A tab that is out of date: somebody deleted or reset what it still shows, or signed out."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from audit.actor import Actor
from tests.factories import PASSWORD, make_credential, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

GONE = "This SMTP user no longer exists."
SOMEBODY = Actor.system("somebody else")


class TestDeletedElsewhere:
    @pytest.mark.parametrize("name", ["Show Password", "Copy password", "Reset", "Delete"])
    def test_the_person_is_told_and_the_row_goes(self, tab, credential, domain, name):
        kept = make_credential(domain)
        tab.open().watch.expect(404)
        credential.remove(by=SOMEBODY)
        tab.press(credential, name)
        tab.told(GONE)
        expect(tab.row(credential)).to_have_count(0)
        expect(tab.row(kept)).to_be_visible()

    @pytest.mark.parametrize("name", ["Reset", "Delete"])
    def test_it_is_the_same_when_the_popup_was_open_already(self, tab, credential, name):
        tab.watch.expect(404)
        tab.press(credential, name)
        expect(tab.dialog).to_be_visible()
        credential.remove(by=SOMEBODY)
        tab.answer("OK")
        tab.told(GONE)
        expect(tab.row(credential)).to_have_count(0)

    def test_a_link_from_yesterday_leads_back_to_the_tab(self, tab, credential):
        tab.watch.expect(404)
        credential.remove(by=SOMEBODY)
        tab.page.goto(smtp_url(credential, "delete"))
        expect(tab.page.get_by_role("heading", name=GONE)).to_be_visible()
        tab.page.get_by_role("link", name="Back to SMTP Credentials").click()
        expect(tab.page).to_have_url(smtp_url(tab.domain))


class TestResetInTwoTabs:
    def test_the_second_is_told_and_nothing_changes(self, tab, open_tab, alice, credential):
        other = open_tab(alice)
        other.watch.expect(409)
        for each in (tab, other):
            each.press(credential, "Reset")
            expect(each.dialog).to_be_visible()
        tab.page.bring_to_front()
        tab.answer("OK")
        tab.told("SMTP password is reset.")
        other.page.bring_to_front()
        password = password_of(credential)
        other.answer("OK")
        other.told("Nothing was reset: the password was changed after you opened this page.")
        assert password_of(credential) == password
        assert other.copied_password(credential) == password


class TestThatDidNotWork:
    @pytest.mark.parametrize("name", ["Show Password", "Reset"])
    def test_a_server_that_is_away_is_named(self, tab, credential, name):
        tab.page.context.set_offline(True)
        tab.press(credential, name)
        tab.told("The server can't be reached. Check your connection and try again.")
        tab.page.context.set_offline(False)
        tab.watch.problems.clear()
        tab.press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(password_of(credential))

    def test_a_page_whose_cookies_are_gone_says_to_reload(self, tab, domain):
        tab.watch.expect(403)
        tab.page.context.clear_cookies(name="csrf")
        tab.page.get_by_role("button", name="Add New SMTP User").click()
        tab.told("Something went wrong. Reload the page and try again.")
        assert domain.credentials.count() == 1


class TestSignedOutElsewhere:
    @pytest.mark.parametrize("name", ["Show Password", "Copy password", "Reset"])
    def test_the_window_goes_to_the_sign_in(self, tab, credential, name):
        Session.objects.all().delete()
        tab.press(credential, name)
        expect(tab.page).to_have_url(f"/login/?next={smtp_url(tab.domain)}")

    @pytest.mark.parametrize("name", ["Reset", "Delete"])
    def test_ok_in_an_open_popup_does_too_and_changes_nothing(self, tab, credential, name):
        password = password_of(credential)
        tab.press(credential, name)
        expect(tab.dialog).to_be_visible()
        Session.objects.all().delete()
        tab.dialog.get_by_role("button", name="OK").click()
        expect(tab.page).to_have_url(f"/login/?next={smtp_url(tab.domain)}")
        assert password_of(credential) == password

    def test_add_does_too_and_signing_in_leads_back(self, tab, domain):
        Session.objects.all().delete()
        tab.page.get_by_role("button", name="Add New SMTP User").click()
        tab.page.get_by_label("Email").fill("alice@example.com")
        tab.page.get_by_label("Password").fill(PASSWORD)
        tab.page.get_by_role("button", name="Sign in").click()
        expect(tab.page).to_have_url(smtp_url(domain))
        expect(tab.rows).to_have_count(1)
