"""Somebody leaves: out of all domains in one act, and the passwords that they know are reset."""

import pytest
from playwright.sync_api import expect

from audit.actor import Actor
from audit.models import Event
from tests.e2e.complaints import complaints
from tests.e2e.site import Connection
from tests.e2e.test_keyboard import tab_to
from tests.factories import make_credential, make_domain, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
MEMBERS, ACTIVITY = "/domains/sl.example.com/settings/members/", "/domains/sl.example.com/activity/"


@pytest.fixture
def shop(domain, alice, bob):
    """A second domain of Alice; Bob is a manager of both."""
    shop = make_domain("shop.example.com", owner=alice)
    shop.memberships.create(user=bob, role="manager")
    domain.memberships.filter(user=bob).update(role="manager")
    return shop


@pytest.fixture
def known(shop, bob, open_tab):
    """A credential of shop.example.com whose password Bob shows in his browser; returns it with his window."""
    credential = make_credential(shop, label="Web shop")
    make_credential(shop, label="Never shown")
    tab = open_tab(bob, locale="en-GB")  # a browser of his own
    tab.domain = shop
    tab.open().press(credential, "Show Password")
    expect(tab.page.get_by_text(password_of(credential))).to_be_visible()
    return credential, tab


def offboarding(bob):
    return f"{MEMBERS}offboarding/{bob.pk}/"


class TestOffboarding:
    def test_from_the_shown_password_to_the_reset(self, window, site, alice, bob, known):
        credential, tab = known
        old, smtp = password_of(credential), Connection(credential.username, "127.0.0.1", site.smtp_port)
        page, _watch = window(alice)
        page.goto(MEMBERS)
        page.get_by_role("link", name="Remove bob@example.com").click()
        page.get_by_role("link", name="Remove from all your domains…").click()
        dialog = page.locator("dialog")
        for text in ("sl.example.com", "shop.example.com", "Web shop", "They know 1 current password"):
            expect(dialog).to_contain_text(text)
        expect(dialog).not_to_contain_text("Never shown")
        assert complaints(page, "dialog") == []
        dialog.get_by_role("button", name="Remove").click()
        expect(page.get_by_text("bob@example.com was removed from 2 domains.")).to_be_visible()
        tab.watch.expect(404)
        tab.page.goto(smtp_url(credential.domain))
        expect(tab.page.get_by_role("heading", name="Page not found")).to_be_visible()

        expect(page.locator("tr", has_text="Web shop")).to_contain_text("Showed it")
        assert complaints(page) == []
        page.get_by_role("button", name="Reset these…").click()
        expect(dialog).to_contain_text("Each site or app needs the new password")
        dialog.get_by_label("1 hour").check()
        assert complaints(page, "dialog") == []
        dialog.get_by_role("button", name="OK").click()
        expect(page.get_by_text("1 SMTP password is reset. Each site needs its new password.")).to_be_visible()
        expect(page.get_by_role("heading", name="Old passwords they know that still work")).to_be_visible()
        expect(page.get_by_role("main")).not_to_contain_text("Never shown")
        new = password_of(credential)
        assert new != old
        assert [smtp.refusal(password) for password in (old, new, old[:-1])] == [None, None, 535]
        assert complaints(page) == []
        tags = list(Event.objects.filter(actor=alice).order_by("pk").values_list("tag", "domain_name"))
        assert tags[-3:] == [
            ("member.removed", "sl.example.com"),
            ("member.removed", "shop.example.com"),
            ("credential.reset", "shop.example.com"),
        ]

    def test_only_the_selected_passwords_are_reset(self, window, alice, bob, shop, site):
        shown = [make_credential(shop, label=label) for label in ("One", "Two", "Three")]
        for credential in shown:
            credential.reveal("credential.password_shown", by=Actor(bob.email, bob))
        before = [password_of(credential) for credential in shown]
        page, _watch = window(alice)
        page.goto(offboarding(bob))
        expect(page.get_by_text("3 selected")).to_be_visible()
        page.get_by_label("Select Two").uncheck()
        expect(page.get_by_text("2 selected")).to_be_visible()
        page.get_by_role("button", name="Reset these…").click()
        expect(page.locator("dialog")).not_to_contain_text("Two")
        page.locator("dialog").get_by_role("button", name="OK").click()
        expect(page.get_by_text("2 SMTP passwords are reset.")).to_be_visible()
        after = [password_of(credential) for credential in shown]
        assert [old == new for old, new in zip(before, after, strict=True)] == [False, True, False]
        smtp = Connection(shown[0].username, "127.0.0.1", site.smtp_port)
        assert [smtp.refusal(password) for password in (before[0], after[0])] == [535, None]

    def test_by_keyboard(self, window, alice, bob, known):
        page, _watch = window(alice)
        page.goto(offboarding(bob))
        for name in ("Remove from 2 domains…", "Reset these…"):
            opener = page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name))
            tab_to(page, opener)
            page.keyboard.press("Enter")
            expect(page.locator("dialog").get_by_role("link", name="Cancel")).to_be_focused()
            page.keyboard.press("Escape")
            expect(opener).to_be_focused()
            page.keyboard.press("Enter")
            tab_to(page, page.locator("dialog button").last)
            page.keyboard.press("Enter")
            expect(page.locator(".toast")).to_be_visible()
        expect(page.get_by_text("1 SMTP password is reset.")).to_be_visible()
        assert not bob.memberships.exists()

    def test_without_javascript(self, window, alice, bob, known):
        credential, _tab = known
        old = password_of(credential)
        page, _watch = window(alice, java_script_enabled=False)
        page.goto(MEMBERS)
        page.get_by_role("link", name="Remove bob@example.com").click()
        page.get_by_role("link", name="Remove from all your domains…").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_text("bob@example.com was removed from 2 domains.")).to_be_visible()
        page.get_by_role("button", name="Reset these…").click()
        page.get_by_label("24 hours").check()
        page.get_by_role("button", name="OK").click()
        expect(page.get_by_text("1 SMTP password is reset.")).to_be_visible()
        assert password_of(credential) != old


class TestActivity:
    def test_filters_follow_each_choice_and_the_address_keeps_them(self, window, alice, bob, known):
        credential, _tab = known
        path = f"/domains/{credential.domain.name}/activity/"
        page, _watch = window(alice)
        page.goto(path)
        events = page.locator("#events tbody tr")
        # Exact: the menu of domains has a box to search SMTP users too.
        smtp_user = page.get_by_label("SMTP user", exact=True)
        expect(events).to_have_count(4)
        page.get_by_label("Person").select_option("bob@example.com")
        expect(events).to_have_count(1)
        expect(page).to_have_url(f"{path}?person={bob.pk}")
        expect(events).to_contain_text("showed the password of")
        assert complaints(page) == []
        page.get_by_label("Kind").select_option("Members and invitations")
        expect(page.get_by_role("heading", name="No event matches these filters")).to_be_visible()
        assert complaints(page) == []
        page.get_by_role("link", name="Clear filters").click()
        expect(events).to_have_count(4)
        smtp_user.fill("never")
        expect(events).to_have_count(1)
        page.reload()
        expect(events).to_have_count(1)
        expect(smtp_user).to_have_value("never")
        events.get_by_role("link").click()
        expect(page).to_have_url(smtp_url(credential.domain.credentials.get(label="Never shown"), "page"))
        page.go_back()
        expect(smtp_user).to_have_value("never")

    def test_person_who_left_leads_to_the_passwords_they_know(self, window, alice, bob, known):
        credential, _tab = known
        bob.memberships.all().delete()
        page, _watch = window(alice, java_script_enabled=False)
        page.goto(f"/domains/{credential.domain.name}/activity/")
        page.get_by_label("Person").select_option("bob@example.com")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("#events tbody tr")).to_have_count(1)
        page.get_by_role("link", name="Passwords they know").click()
        expect(page.locator("tr", has_text="Web shop")).to_contain_text("Showed it")
