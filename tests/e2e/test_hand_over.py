"""A manager hands one SMTP user to a developer without an account, by a link that shows it once."""

import re

import pytest
from playwright.sync_api import expect

from credentials.models import HandOver
from tests.e2e.complaints import complaints
from tests.e2e.site import Connection
from tests.e2e.tab import copied, pasted, told
from tests.factories import SYSTEM, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
GONE = "This link no longer works"
LAST_SUBMIT = """() => {
  window.prevented = [];
  window.addEventListener("submit", (event) => {
    window.prevented.push(event.defaultPrevented);
    event.preventDefault();
  });
}"""


@pytest.fixture
def make_link(window, alice, credential):
    """Make a link in Alice's window: make_link(**options) → (her page, link)."""

    def make(**options):
        page, watch = window(alice, **options)
        watch.expect(409)
        page.goto(smtp_url(credential, "hand_over"))
        page.get_by_role("button", name="Make link").click()
        expect(page.get_by_role("heading", name="Your hand-over link")).to_be_visible()
        return page, page.locator("main code.block").inner_text()

    return make


@pytest.fixture
def developer(window):
    """Open the browser of a developer, who has no account: developer(**options) → page."""

    def enter(**options):
        page, watch = window(locale="en-GB", **options)
        watch.expect(410, 409)
        return page

    return enter


def read(page) -> tuple[Connection, str]:
    """What the page shows, and its password."""
    expect(page.locator("#handed-over code")).to_have_count(5)
    username, password, host, port, _encryption = page.locator("#handed-over code").all_inner_texts()
    return Connection(username, host, int(port)), password


class TestHandOver:
    def test_developer_opens_it_once_and_sends_mail(self, make_link, developer, site, credential):
        alice, link = make_link()
        assert copied(alice, "Copy link") == link

        page = developer()
        page.goto(link)
        expect(page.get_by_role("heading", name="SMTP credentials for sl.example.com")).to_be_visible()
        page.reload()  # looking doesn't use it up
        page.get_by_role("button", name="Show").click()
        connection, password = read(page)
        assert copied(page, "Copy password") == password == password_of(credential)
        assert copied(page, "Copy all") == (
            f"Username: {credential.username}\nPassword: {password}\nHost: 127.0.0.1\n"
            f"Port: {site.smtp_port}\nEncryption: STARTTLS"
        )
        assert b"Your order is on its way." in connection.send(password, "Handed over")

        page.goto(link)
        expect(page.get_by_role("heading", name=GONE)).to_be_visible()
        expect(page.get_by_text("Ask the person who sent it")).to_be_visible()
        alice.goto("/domains/sl.example.com/activity/")
        row = alice.locator("tr", has_text="was opened and showed the password")
        expect(row).to_contain_text("Hand-over link of alice@example.com")
        expect(row).to_contain_text("127.0.0.1")
        expect(row.locator("time")).to_have_text(re.compile(r"\d\d:\d\d"))
        assert site.letter_to("alice@example.com", "Your hand-over link for sl.example.com was opened")
        logs, key = site.all_logs(), link.split("/")[-2]
        assert b"/hand-over/key/" in logs and len(key) == 32
        assert key.encode() not in logs and password.encode() not in logs

    def test_without_javascript(self, make_link, developer, credential):
        alice, link = make_link(java_script_enabled=False)
        page = developer(java_script_enabled=False)
        page.goto(link)
        page.get_by_role("button", name="Show").click()
        connection, password = read(page)
        assert connection.refusal(password) is None
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)
        page.goto(link)
        expect(page.get_by_role("heading", name=GONE)).to_be_visible()
        alice.get_by_role("link", name="Done").click()
        expect(alice.get_by_text("by the link of alice@example.com")).to_be_visible()

    def test_by_keyboard(self, make_link, developer, credential):
        _alice, link = make_link()
        page = developer()
        page.goto(link)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Show")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Copy all")).to_be_visible()
        for name in ("Skip to content", "Copy username", "Copy password", "Copy host", "Copy port"):
            page.keyboard.press("Tab")
            expect(
                page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name))
            ).to_be_focused()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        told(page, "Copied.")
        assert pasted(page) == password_of(credential)

    def test_revoked_link(self, make_link, developer, credential):
        alice, link = make_link()
        page = developer()
        page.goto(link)
        alice.get_by_role("link", name="Done").click()
        alice.get_by_role("link", name="Revoke the link made by alice@example.com").click()
        expect(alice.get_by_role("dialog", name="Revoke hand-over link")).to_be_visible()
        alice.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(alice.get_by_text("Hand-over link revoked.")).to_be_visible()
        expect(alice.get_by_role("heading", name="Open links")).to_have_count(0)
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("heading", name=GONE)).to_be_visible()

    def test_second_press_of_an_impatient_person_is_not_sent(self, make_link, developer):
        _alice, link = make_link()
        page = developer()
        page.goto(link)
        page.evaluate(LAST_SUBMIT)
        for _ in range(2):
            page.get_by_role("button", name="Show").click()
        assert page.evaluate("window.prevented") == [False, True]
        assert HandOver.objects.get().opened_at is None

    def test_pages_have_no_faults(self, make_link, developer, credential):
        alice, link = make_link()
        assert complaints(alice) == []
        alice.get_by_role("link", name="Done").click()
        expect(alice.get_by_role("heading", name="Open links")).to_be_visible()
        assert complaints(alice) == []
        page = developer()
        page.goto(link)
        assert complaints(page) == []
        credential.suspend(by=SYSTEM)
        page.reload()
        expect(page.get_by_role("heading", name="Nothing to show right now")).to_be_visible()
        assert complaints(page) == []
        alice.reload()
        expect(alice.get_by_text("This SMTP user is suspended. Resume it first.")).to_be_visible()
        assert complaints(alice) == []
        credential.resume(by=SYSTEM)
        page.reload()
        page.get_by_role("button", name="Show").click()
        read(page)
        assert complaints(page) == []
        page.goto(link)
        assert complaints(page) == []
