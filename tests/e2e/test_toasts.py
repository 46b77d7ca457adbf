"""The same message again takes the place of the one before."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_credential
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

# What a screen reader is given to read: what comes into the region.
LISTEN = """() => {
  window.heard = [];
  new MutationObserver((changes) => changes.forEach((change) => heard.push(change.addedNodes.length)))
    .observe(document.getElementById("toasts"), { childList: true });
}"""


class TestEqualToasts:
    def test_a_repeated_message_is_heard_again_and_shown_once(self, tab, credential):
        tab.page.evaluate(LISTEN)
        for _ in range(3):
            tab.press(credential, "Copy username")
            # Pressing again while the icon still shows its tick is pressing again.
            expect(tab.page.locator(".toast")).to_have_text("Copied.")
        tab.page.wait_for_function("() => heard.filter(Boolean).length === 3")

    def test_a_repeated_message_has_its_own_time(self, open_tab, alice, credential):
        tab = open_tab(alice, name="with a clock of its own")
        tab.page.clock.install()
        tab.page.goto(smtp_url(credential.domain))
        toast = tab.page.locator(".toast", has_text="Copied.")
        tab.press(credential, "Copy username")
        expect(toast).to_be_visible()
        tab.page.clock.run_for(5000)
        tab.press(credential, "Copy username")
        tab.page.clock.run_for(2000)  # the clock goes on meanwhile
        expect(toast).to_have_count(1)
        tab.page.clock.run_for(5000)
        expect(toast).to_have_count(0)

    def test_repeated_errors_do_not_stack_beside_or_in_a_dialog(self, tab, credential):
        failures = tab.page.locator(".toast", has_text="The server can't be reached.")
        tab.page.route("**/reveal/", lambda route: route.abort("failed"))
        tab.page.route(
            "**/reset/", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
        )
        for _ in range(2):
            tab.press(credential, "Show Password")
            expect(failures).to_have_count(1)
        tab.press(credential, "Reset")
        for _ in range(2):
            tab.dialog.get_by_role("button", name="OK").click()
            expect(tab.dialog.locator(".toast")).to_have_count(1)
        tab.watch.problems.clear()

    def test_each_offer_to_undo_stays(self, tab, credential, domain):
        other = make_credential(domain, label="Other")
        tab.open()
        for each in (credential, other):
            tab.press(each, "Delete")
            tab.answer("OK")
        expect(tab.page.locator(".toast [data-undo]")).to_have_count(2)
