"""Show, Copy and Delete ask to confirm an old sign-in, and then continue automatically."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from credentials.models.deleted import DeletedCredential
from domains.models import Domain, Invitation
from tests.accounts.codes import code_of, make_totp
from tests.e2e.browser import session_cookie
from tests.e2e.tab import DOTS
from tests.factories import PASSWORD, make_credential, make_domain, password_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def grow_old(tab, person, site):
    """Let the last sign-in of an open window be an hour ago."""
    tab.page.context.add_cookies([session_cookie(person, site.url, ago=timedelta(hours=1))])
    tab.watch.expect(401)


@pytest.fixture
def tab(open_tab, alice, credential, site):
    tab = open_tab(alice)
    grow_old(tab, alice, site)
    return tab.open()


def confirm(tab, password=PASSWORD):
    expect(tab.page.get_by_role("dialog", name="Confirm it's you")).to_be_visible()
    expect(tab.dialog.get_by_label("Password")).to_be_focused()
    tab.dialog.get_by_label("Password").fill(password)
    tab.page.keyboard.press("Enter")


ANSWER_AT_ONCE = """(password) => new MutationObserver((_changes, observer) => {
  const field = document.querySelector("dialog input[type=password]");
  if (!field) return;
  observer.disconnect();
  field.value = password;
  field.form.requestSubmit();
}).observe(document.querySelector("dialog"), { childList: true, subtree: true })"""


class TestAnOldSignIn:
    def test_an_answer_at_the_moment_that_it_is_asked_for_leaves_no_page(self, tab, credential):
        tab.page.evaluate(ANSWER_AT_ONCE, PASSWORD)
        tab.press(credential, "Show Password")
        expect(tab.password(credential)).to_have_text(password_of(credential))

    def test_show_password_shows_it_once_confirmed_and_then_asks_no_more(self, tab, credential):
        tab.press(credential, "Show Password")
        confirm(tab, "not-the-password")
        expect(tab.dialog.get_by_text("Incorrect password.")).to_be_visible()
        confirm(tab)
        expect(tab.password(credential)).to_have_text(password_of(credential))
        expect(tab.dialog).to_be_hidden()
        expect(tab.page.locator(".toast")).to_have_count(0)
        assert tab.copied_password(credential) == password_of(credential)

    def test_copy_copies_it_once_confirmed(self, tab, credential):
        tab.press(credential, "Copy password")
        confirm(tab)
        tab.told("Password copied.")
        assert tab.clipboard() == password_of(credential)
        expect(tab.password(credential)).to_have_text(DOTS)

    def test_escape_and_cancel_give_it_up_and_lose_no_focus(self, tab, credential):
        tab.press(credential, "Show Password")
        expect(tab.dialog).to_be_visible()
        tab.page.keyboard.press("Escape")
        expect(tab.dialog).to_be_hidden()
        expect(tab.row(credential).get_by_role("button", name="Show Password")).to_be_focused()
        tab.press(credential, "Show Password")
        tab.answer("Cancel")
        expect(tab.password(credential)).to_have_text(DOTS)
        expect(tab.page.locator(".toast")).to_have_count(0)

    def test_delete_asks_its_question_once_confirmed(self, tab, credential, domain):
        tab.press(credential, "Delete")
        confirm(tab)
        expect(tab.page.get_by_role("dialog", name="Delete SMTP User")).to_be_visible()
        tab.answer("OK")
        tab.told("SMTP user is deleted.")
        expect(tab.rows).to_have_count(0)

    def test_open_dialog_is_submitted_after_confirmation(self, open_tab, alice, credential, site):
        tab, old = open_tab(alice), password_of(credential)
        tab.press(credential, "Reset")
        expect(tab.dialog).to_be_visible()
        grow_old(tab, alice, site)
        tab.dialog.get_by_role("button", name="OK").click()
        confirm(tab)
        tab.told("SMTP password is reset.")
        expect(tab.row(credential)).to_contain_text("Reset just now")
        assert password_of(credential) != old

    def test_all_that_were_ticked_are_deleted_once_confirmed(self, tab, alice, domain, site):
        for _ in range(2):
            make_credential(domain)
        tab.open()
        tab.page.get_by_label("Select all on this page").check(force=True)
        tab.page.locator("#chosen").get_by_role("button", name="Delete").click()
        confirm(tab)
        expect(tab.dialog.get_by_role("listitem")).to_have_count(3)
        grow_old(tab, alice, site)
        tab.dialog.get_by_role("button", name="OK").click()
        confirm(tab)
        expect(tab.page.locator(".toast")).to_contain_text("3 SMTP users deleted.")
        grow_old(tab, alice, site)
        DeletedCredential.objects.update(deleted_by=None)
        tab.page.get_by_role("button", name="Undo").click()
        confirm(tab)
        tab.told("3 SMTP users restored.")

    def test_a_member_is_removed_and_the_domain_deleted_once_each_is_confirmed(self, tab, alice, bob, site):
        tab.page.goto("/domains/sl.example.com/settings/members/")
        tab.page.get_by_role("link", name="Remove bob@example.com").click()
        confirm(tab)
        expect(tab.page.get_by_role("dialog", name="Remove member")).to_be_visible()
        tab.dialog.get_by_role("button", name="Remove").click()
        tab.told("bob@example.com was removed.")
        expect(tab.dialog).to_be_hidden()
        expect(tab.page.locator("#members tr", has_text="bob@example.com")).to_have_count(0)
        grow_old(tab, alice, site)
        tab.page.goto("/domains/sl.example.com/settings/")
        tab.page.get_by_role("link", name="Delete…").click()
        confirm(tab)
        tab.page.get_by_label("Type sl.example.com to confirm").fill("sl.example.com")
        tab.dialog.get_by_role("button", name="Delete domain").click()
        tab.told("Domain deleted.")
        assert not Domain.objects.exists()

    def test_invitation_typed_before_confirmation_is_sent_as_typed(self, open_tab, alice, domain, site):
        for name in ("one.example", "two.example", "three.example"):
            make_domain(name, owner=alice)
        tab = open_tab(alice)
        tab.page.goto("/domains/sl.example.com/settings/members/")
        tab.page.get_by_role("link", name="Invite").click()
        tab.page.get_by_text("Also to other domains that you own").click()
        for name in ("one.example", "two.example"):
            tab.page.get_by_role("checkbox", name=name).check()
        tab.page.get_by_label("Manager").check()
        tab.page.get_by_label("E-mail addresses").fill("max@example.org")
        grow_old(tab, alice, site)
        tab.dialog.get_by_role("button", name="Invite").click()
        confirm(tab)
        tab.told("Invitation sent.")
        expect(tab.dialog).to_be_hidden()
        expect(tab.page.locator("#members tr", has_text="max@example.org")).to_contain_text("Manager")
        assert {str(each.domain) for each in Invitation.objects.all()} == {
            "sl.example.com",
            "one.example",
            "two.example",
        }

    def test_a_code_confirms_as_well(self, tab, alice, credential):
        secret = make_totp(alice)
        tab.press(credential, "Show Password")
        tab.dialog.get_by_role("link", name="Use a code").click()
        tab.dialog.get_by_label("Code from your authenticator app").fill(code_of(secret))
        tab.dialog.get_by_role("button", name="Confirm").click()
        expect(tab.password(credential)).to_have_text(password_of(credential))

    def test_without_javascript_a_page_asks_and_the_act_carries_on(self, open_tab, alice, credential, site):
        tab = open_tab(alice, java_script_enabled=False)
        grow_old(tab, alice, site)
        tab.open().press(credential, "Show Password")
        tab.page.get_by_label("Password").fill(PASSWORD)
        tab.page.get_by_role("button", name="Confirm").click()
        expect(tab.page.get_by_text(password_of(credential))).to_be_visible()
