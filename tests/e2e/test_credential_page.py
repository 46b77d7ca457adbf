"""The page of one SMTP user: all of its acts, the way back to the list, by keyboard and without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from audit.models import Event
from tests.e2e.test_keyboard import tab_to
from tests.factories import SYSTEM, make_credential, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def region(tab, name):
    return tab.page.get_by_role("region", name=name, exact=True)


class TestCredentials:
    def test_copy_all_copies_what_a_site_needs_and_is_recorded(self, tab, credential):
        tab.open_page(credential)
        tab.page.get_by_role("button", name="Copy all").click()
        tab.told("Copied with the password.")
        connection = tab.connection(credential)
        assert tab.clipboard().splitlines() == [
            f"Username: {credential.username}",
            f"Password: {password_of(credential)}",
            f"Host: {connection.host}",
            f"Port: {connection.port} (STARTTLS)",
        ]
        assert password_of(credential) not in tab.page.content()
        assert Event.objects.filter(tag="credential.password_copied").count() == 1
        tab.page.reload()
        expect(region(tab, "History")).to_contain_text("alice@example.com copied the password")

    def test_reset_shows_the_page_again(self, tab, credential):
        tab.open_page(credential)
        old, connection = tab.copied_password(credential), tab.connection(credential)
        tab.press(credential, "Reset")
        tab.answer("OK")
        tab.told("SMTP password is reset.")
        expect(region(tab, "Credentials")).to_contain_text("Reset just now")
        expect(region(tab, "History")).to_contain_text("reset the password")
        new = tab.copied_password(credential)
        assert [connection.refusal(password) for password in (new, old)] == [None, 535]

    def test_delete_leads_to_the_list_where_it_can_be_undone(self, tab, credential):
        tab.open_page(credential).press(credential, "Delete")
        tab.answer("OK")
        expect(tab.page).to_have_url(re.compile("/settings/smtp/$"))
        expect(tab.row(credential)).to_have_count(0)
        tab.page.get_by_role("button", name="Undo").click()
        expect(tab.row(credential)).to_be_visible()

    def test_act_on_one_that_was_deleted_elsewhere_leads_to_the_list(self, tab, credential):
        tab.open_page(credential).press(credential, "Suspend")
        expect(tab.dialog.get_by_role("button", name="Suspend")).to_be_visible()
        credential.remove(by=SYSTEM)
        tab.dialog.get_by_role("button", name="Suspend").click()
        expect(tab.page).to_have_url(re.compile("/settings/smtp/$"))
        expect(tab.page.get_by_text("This SMTP user no longer exists.")).to_be_visible()


class TestWayBack:
    @pytest.mark.parametrize("with_script", [True, False])
    def test_crumb_leads_to_the_search_and_page_that_one_came_from(self, open_tab, alice, domain, with_script):
        shops = [make_credential(domain, label=f"Shop {number}") for number in range(30)]
        tab = open_tab(alice, java_script_enabled=with_script).open("?q=shop&page=2")
        tab.page.locator(f"a[href*='{shops[27].username}/?back=']").first.click()
        expect(tab.page.get_by_role("heading", name="Shop 27")).to_be_visible()
        tab.page.get_by_label("Tool").select_option("go")
        tab.page.get_by_role("button", name="Show settings").click()
        tab.press(shops[27], "Edit label")
        tab.page.get_by_role("textbox", name="Label").fill("Shop of Go")
        tab.page.get_by_role("button", name="Save").click()
        expect(tab.page.get_by_role("heading", name="Shop of Go")).to_be_visible()
        tab.page.get_by_role("link", name="SMTP Credentials").click()
        expect(tab.page).to_have_url(
            re.compile(rf"{smtp_url(domain)}\?q=shop&page=2#cred-{shops[27].username}$")
        )
        expect(tab.row(shops[27])).to_be_visible()

    def test_way_back_is_to_the_list_only(self, tab, credential):
        for back in (
            "https://evil.example/",
            "//evil.example",
            "next=https://evil.example",
            "javascript:alert(1)",
        ):
            tab.open_page(credential, f"?back={back}")
            link = tab.page.get_by_role("link", name="SMTP Credentials")
            expect(link).to_have_attribute("href", f"{smtp_url(credential.domain)}#cred-{credential.username}")


class TestByKeyboard:
    def test_suspend_and_edit_of_the_expiry_date(self, tab, credential):
        tab.open_page(credential)
        tab_to(tab.page, tab.page.get_by_role("link", name="Edit expiry date"))
        tab.page.keyboard.press("Enter")
        box = tab.page.get_by_label("Expires after")
        expect(box).to_be_focused()
        tab_to(tab.page, tab.page.get_by_role("link", name="Cancel"))
        tab.page.keyboard.press("Enter")
        expect(box).to_have_count(0)
        tab_to(tab.page, tab.page.get_by_role("link", name="Suspend"))
        tab.page.keyboard.press("Enter")
        expect(tab.dialog.get_by_role("link", name="Cancel")).to_be_focused()
        tab.page.keyboard.press("Tab")
        tab.page.keyboard.press("Enter")
        tab.told("SMTP user suspended.")
        expect(tab.page.get_by_role("link", name="Resume")).to_be_visible()


class TestWithoutJavaScript:
    def test_every_act_comes_back_to_the_page(self, open_tab, alice, credential):
        tab = open_tab(alice, java_script_enabled=False).open_page(credential)
        expect(tab.page.get_by_role("button", name="Copy")).to_have_count(0)
        for name, button, said in (
            ("Reset", "OK", "SMTP password is reset."),
            ("Suspend", "Suspend", "SMTP user suspended."),
            ("Resume", "Resume", "SMTP user resumed."),
        ):
            tab.press(credential, name)
            tab.page.get_by_role("button", name=button).click()
            expect(tab.page.get_by_text(said)).to_be_visible()
            expect(tab.page).to_have_url(re.compile(f"/{credential.username}/#"))
        tab.press(credential, "Show Password")
        expect(tab.page.get_by_text(password_of(credential))).to_be_visible()
        tab.page.get_by_role("link", name="Hide Password").click()
        tab.press(credential, "Delete")
        tab.page.get_by_role("link", name="Cancel").click()
        expect(tab.page).to_have_url(re.compile(f"/{credential.username}/$"))
        tab.press(credential, "Delete")
        tab.page.get_by_role("button", name="OK").click()
        expect(tab.page.get_by_text("SMTP user is deleted.")).to_be_visible()
        expect(tab.row(credential)).to_have_count(0)

    def test_check_this_credential(self, open_tab, alice, credential):
        tab = open_tab(alice, java_script_enabled=False).open_page(credential)
        tab.press(credential, "Check this credential")
        tab.page.get_by_role("button", name="Check").click()
        expect(tab.page.get_by_role("heading", name="This credential works")).to_be_visible()
