"""Check this credential: a real login at the mail server, and what to do when it fails."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from credentials.models import Credential
from domains.models import Domain
from tests.e2e.test_keyboard import tab_to
from tests.environment import VAR_DIR
from tests.factories import password_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def ask(tab, credential):
    tab.open_page(credential)
    tab.press(credential, "Check this credential")
    expect(tab.dialog.get_by_role("heading", name="Check this credential")).to_be_visible()


def press(tab, name="Check"):
    tab.dialog.get_by_role("button", name=name, exact=True).click()


def result(place, title):
    heading = place.get_by_role("heading", name=title)
    expect(heading).to_be_visible()
    return heading


def messages():
    folder = VAR_DIR / "outbox" / "new"
    return [path.read_bytes() for path in folder.iterdir()] if folder.exists() else []


class TestCheckThisCredential:
    def test_a_login_that_works_and_its_transcript(self, tab, credential):
        ask(tab, credential)
        press(tab)
        result(tab.dialog, "This credential works")
        expect(tab.dialog).to_contain_text("No message was sent.")
        tab.dialog.get_by_text("Transcript").click()
        transcript = tab.dialog.locator("pre")
        expect(transcript).to_be_visible()
        expect(transcript).to_contain_text("C: AUTH PLAIN ********")
        expect(transcript).to_contain_text("S: 235")
        assert password_of(credential) not in tab.page.content()

    def test_check_does_not_count_as_use(self, tab, credential):
        ask(tab, credential)
        press(tab)
        result(tab.dialog, "This credential works")
        tab.answer("Close")
        expect(tab.open().row(credential)).to_contain_text("Never")

    def test_a_test_message_to_oneself(self, tab, credential):
        before = messages()
        ask(tab, credential)
        tab.dialog.get_by_label("Also send a test message to alice@example.com").check()
        press(tab)
        result(tab.dialog, "This credential works")
        expect(tab.dialog).to_contain_text("Test message accepted for alice@example.com: 250")
        [message] = [each for each in messages() if each not in before]
        assert b"To: alice@example.com\r\n" in message

    def test_again_with_the_box_as_it_was(self, tab, credential):
        ask(tab, credential)
        tab.dialog.get_by_role("checkbox").check()
        press(tab)
        result(tab.dialog, "This credential works")
        expect(tab.dialog.get_by_role("checkbox")).to_be_checked()
        Credential.objects.update(suspended_at=timezone.now())
        press(tab, "Check again")
        result(tab.dialog, "This SMTP user is suspended")

    def test_a_failure_says_what_to_do_and_shows_the_transcript(self, tab, credential):
        Credential.objects.update(suspended_at=timezone.now())
        ask(tab, credential)
        press(tab)
        result(tab.dialog, "This SMTP user is suspended")
        expect(tab.dialog).to_contain_text("Ask support to resume it.")
        expect(tab.dialog.get_by_text("The mail server replied:")).to_contain_text("535 5.7.8")
        expect(tab.dialog.locator("li.failed")).to_contain_text("Log in")
        expect(tab.dialog.locator("pre")).to_be_visible()

    def test_by_keyboard(self, tab, credential):
        link = tab.open_page(credential).row(credential).get_by_role("link", name="Check this credential")
        tab_to(tab.page, link)
        tab.page.keyboard.press("Enter")
        expect(tab.dialog.get_by_role("button", name="Check", exact=True)).to_be_focused()
        tab_to(tab.page, tab.dialog.get_by_role("checkbox"))
        tab.page.keyboard.press("Space")
        tab_to(tab.page, tab.dialog.get_by_role("button", name="Check", exact=True))
        tab.page.keyboard.press("Enter")
        expect(result(tab.dialog, "This credential works")).to_be_focused()
        tab_to(tab.page, tab.dialog.get_by_role("link", name="Close"))
        tab.page.keyboard.press("Enter")
        expect(tab.dialog).to_be_hidden()
        expect(link).to_be_focused()


class TestWhileItRuns:
    @pytest.fixture
    def held(self, tab, credential):
        """A check whose progress is asked for but not told until `held()`."""
        waiting, is_open = [], []
        progress = "**/check/*-*/**"
        tab.page.route(progress, lambda route: route.continue_() if is_open else waiting.append(route))
        ask(tab, credential)
        with tab.page.expect_request(progress):
            press(tab)

        def go_on():
            is_open.append(True)
            for route in waiting:
                route.continue_()

        return go_on

    def test_progress_shows_and_the_focus_is_on_close(self, tab, held):
        expect(tab.dialog.get_by_role("link", name="Close")).to_be_focused()
        expect(tab.dialog.locator(".check-steps li").first).to_be_visible()
        expect(tab.dialog.get_by_role("status")).to_contain_text("…")
        held()
        expect(result(tab.dialog, "This credential works")).to_be_focused()

    def test_escape_is_harmless(self, tab, held, credential):
        tab.page.keyboard.press("Escape")
        expect(tab.dialog).to_be_hidden()
        held()
        tab.page.wait_for_timeout(1000)
        expect(tab.dialog).to_be_hidden()
        expect(tab.row(credential).get_by_role("link", name="Check this credential")).to_be_focused()

    def test_polling_stops_when_the_check_has_ended(self, tab, credential):
        ask(tab, credential)
        press(tab)
        result(tab.dialog, "This credential works")
        asked = []
        tab.page.on("request", lambda request: asked.append(request.url))
        tab.page.wait_for_timeout(1500)
        assert asked == []


class TestWithoutJavaScript:
    @pytest.fixture
    def tab(self, open_tab, alice, credential):
        return open_tab(alice, java_script_enabled=False)

    def test_result_appears_without_reload(self, tab, credential):
        page = tab.page
        tab.open_page(credential)
        tab.press(credential, "Check this credential")
        page.get_by_label("Also send a test message").check()
        page.get_by_role("button", name="Check", exact=True).click()
        result(page, "This credential works")
        expect(page.get_by_label("Also send a test message")).to_be_checked()
        page.get_by_text("Transcript").click()
        expect(page.get_by_text("C: AUTH PLAIN ********")).to_be_visible()
        assert password_of(credential) not in page.content()
        Domain.objects.update(suspended_at=timezone.now())
        page.get_by_role("button", name="Check again").click()
        result(page, "Domain suspended")
        page.get_by_role("link", name="Close").click()
        expect(tab.row(credential)).to_be_visible()
