"""An outdated tab: what it shows was deleted or reset, or the user signed out, elsewhere."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from audit.actor import Actor
from tests.factories import make_credential, make_domain, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

GONE = "This SMTP user no longer exists."
SOMEBODY = Actor.system("somebody else")


class TestDeletedElsewhere:
    @pytest.mark.parametrize("name", ["Show Password", "Copy password", "Reset", "Delete"])
    def test_act_on_a_deleted_smtp_user_reports_it_and_removes_the_row(self, tab, credential, domain, name):
        kept = make_credential(domain)
        tab.open().watch.expect(404)
        credential.remove(by=SOMEBODY)
        tab.press(credential, name)
        tab.told(GONE)
        expect(tab.row(credential)).to_have_count(0)
        expect(tab.row(kept)).to_be_visible()

    @pytest.mark.parametrize("name", ["Reset", "Delete"])
    def test_ok_in_an_open_popup_reports_a_deleted_smtp_user(self, tab, credential, name):
        tab.watch.expect(404)
        tab.press(credential, name)
        expect(tab.dialog).to_be_visible()
        credential.remove(by=SOMEBODY)
        tab.answer("OK")
        tab.told(GONE)
        expect(tab.row(credential)).to_have_count(0)

    def test_link_to_a_deleted_smtp_user_leads_back_to_the_tab(self, tab, credential):
        tab.watch.expect(404)
        credential.remove(by=SOMEBODY)
        tab.page.goto(smtp_url(credential, "delete"))
        expect(tab.page.get_by_role("heading", name=GONE)).to_be_visible()
        tab.page.get_by_role("link", name="Back to SMTP Credentials").click()
        expect(tab.page).to_have_url(smtp_url(tab.domain))


class TestResetInTwoTabs:
    def test_second_reset_is_refused_and_changes_nothing(self, tab, open_tab, alice, credential):
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
    def test_unreachable_server_is_reported(self, tab, credential, name):
        tab.page.context.set_offline(True)
        tab.press(credential, name)
        tab.told("The server can't be reached. Check your connection and try again.")
        tab.page.context.set_offline(False)
        tab.watch.problems.clear()
        tab.press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(password_of(credential))

    def test_page_without_its_cookies_asks_to_reload(self, tab, domain):
        tab.watch.expect(403)
        tab.page.context.clear_cookies(name="csrf")
        tab.page.get_by_role("button", name="Add New SMTP User").click()
        tab.told("Something went wrong. Reload the page and try again.")
        assert domain.credentials.count() == 1


class TestSignedOutElsewhere:
    def test_question_while_signed_out_leads_to_the_sign_in(self, tab, credential):
        Session.objects.all().delete()
        tab.press(credential, "Reset")
        expect(tab.page).to_have_url(f"/login/?next={smtp_url(tab.domain)}")


class TestAccountOfTwoTabs:
    def test_each_tab_keeps_the_domain_that_it_came_from(self, window, alice, domain):
        make_domain("other.example.com", owner=alice)
        pages = {name: window(alice)[0] for name in ("sl.example.com", "other.example.com")}
        for name, page in pages.items():
            page.goto(f"/domains/{name}/")
            page.get_by_label("Account menu").click()
            page.get_by_role("link", name="Account", exact=True).click()
        for name, page in pages.items():
            page.get_by_role("link", name="Change your e-mail").click()
            page.get_by_role("link", name="Profile").click()
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_text("Name saved.")).to_be_visible()
            expect(page.get_by_label(f"Domain: {name}")).to_be_visible()
        for name, page in pages.items():
            page.get_by_role("link", name=f"Back to {name}").click()
            expect(page.get_by_role("heading", level=1)).to_contain_text(name)
