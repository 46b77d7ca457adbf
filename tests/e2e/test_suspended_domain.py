"""Support suspends a domain: its pages, refusals, Explain and letters say so, until support resumes it."""

import pytest
from playwright.sync_api import expect

from tests.e2e.complaints import complaints
from tests.factories import SYSTEM, make_user, password_of
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
REASON, NOTE = "Phishing was reported", "Ticket 4711"
HOME = "/domains/sl.example.com/"
PAGES = ("", "activity/", "settings/", "settings/dns/", "settings/smtp/", "settings/members/")


def act(page, domain, name):
    """What support staff do on the domain's page of the admin."""
    page.goto(f"/admin/domains/domain/{domain.pk}/change/")
    page.get_by_role("button", name=f"{name}…").click()
    expect(page.get_by_text("Members of the domain read this reason")).to_be_visible()
    page.get_by_label("Reason").fill(REASON)
    page.get_by_label("Note for support").fill(NOTE)
    page.get_by_role("button", name=f"{name} domains").click()
    expect(page.get_by_text(f"1 {name.lower().rstrip('e')}ed.")).to_be_visible()


def explain(tab, credential, line):
    """Paste a line from a site's log on the SMTP user's page; return the heading of the answer."""
    tab.open_page(credential)
    tab.page.get_by_label("Or paste an error").fill(line)
    tab.press(credential, "Explain")
    return tab.page.get_by_role("heading", name="Domain suspended", exact=True)


class TestSuspendedDomain:
    def test_refused_login_is_explained_until_support_resumes(self, window, open_tab, alice, site, credential):
        staff = make_user("root@support.example", is_staff=True, is_superuser=True)
        admin, _watch = window(staff, name="of support")
        tab, password, domain = open_tab(alice), password_of(credential), credential.domain
        connection = tab.connection(credential)
        act(admin, domain, "Suspend")
        line = connection.refusal_line(password)
        assert line == "535 5.7.8 Authentication credentials invalid"
        wait_until(lambda: type(credential).objects.get().last_refused_at)  # the Overview shows it

        letter = (
            site.letter_to(alice.email, "Support suspended sl.example.com").get_body(("plain",)).get_content()
        )
        assert f"Reason: {REASON}" in letter and NOTE not in letter
        banner = tab.page.get_by_role("complementary", name="Domain suspended")
        for path in PAGES:
            tab.page.goto(HOME + path)
            expect(banner).to_contain_text(f"Reason: {REASON}")
            assert NOTE not in tab.page.content()
            assert complaints(tab.page) == []
        tab.open()
        add = tab.page.get_by_role("button", name="Add New SMTP User")
        expect(add).to_be_disabled()
        expect(add).to_have_accessible_description("Not while the domain is suspended.")

        expect(explain(tab, credential, line)).to_be_focused()
        assert complaints(tab.page) == []
        expect(tab.open().row(credential)).to_contain_text("domain suspended")

        act(admin, domain, "Resume")
        assert connection.refusal_line(password) == ""
        site.letter_to(alice.email, "Support resumed sl.example.com")
        expect(tab.open().page.get_by_role("button", name="Add New SMTP User")).to_be_enabled()
        expect(banner).to_have_count(0)

    def test_without_javascript(self, open_tab, alice, credential, domain):
        tab = open_tab(alice, java_script_enabled=False)
        connection = tab.connection(credential)
        domain.suspend(by=SYSTEM, reason=REASON)
        line = connection.refusal_line(password_of(credential))
        expect(explain(tab, credential, line)).to_be_visible()
        expect(tab.page.get_by_role("complementary", name="Domain suspended")).to_contain_text(REASON)
