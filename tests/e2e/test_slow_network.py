"""A server that takes its time: the page shows that it waits, and a second press does nothing."""

import re

import pytest
from playwright.sync_api import expect

from domains.models import Domain
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

BAR = "getComputedStyle(document.documentElement, '::before')"
GONE = f"() => {BAR}.content === 'none'"
# Playwright evaluates nothing while a page is being left, so the page itself says when the bar is there.
PRESS = f"""(pressed, again) => {{
  const isThere = () => {BAR}.content !== "none" && {BAR}.opacity === "1";
  const look = () => {{
    if (!isThere()) return requestAnimationFrame(look);
    if (again) pressed.click();
    console.info("bar");
  }};
  look();
  pressed.click();
}}"""


class Held:
    """Requests whose URL ends so wait until they are let go."""

    def __init__(self, page, ending):
        self.routes = []
        page.route(re.compile(ending + r"(\?.*)?$"), lambda route: self.routes.append(route))

    def press(self, element, again=False):
        """Press it and wait until the bar is visible; then perhaps press it once more."""
        with element.page.expect_console_message(lambda message: message.text == "bar"):
            element.evaluate(PRESS, again)

    def let_go(self):
        for route in self.routes:
            route.continue_()


PRESSES = [
    ("link", "Reset", "/reset/"),
    ("link", re.compile("^Delete "), "/delete/"),
    ("button", re.compile("Copy password"), "/copy/"),
    ("button", "Show Password", "/reveal/"),
    ("button", "Add New SMTP User", "/add/"),
    ("link", "Activity", "/activity/"),
    ("link", "SendLayer: all domains", "/domains/"),
]


class TestSlowNetwork:
    @pytest.mark.parametrize(("role", "name", "ending"), PRESSES)
    def test_a_bar_shows_until_the_answer_comes(self, tab, role, name, ending):
        assert tab.page.evaluate(GONE)
        held = Held(tab.page, ending)
        held.press(tab.page.get_by_role(role, name=name).first)
        held.let_go()
        tab.page.wait_for_function(GONE)

    def test_opening_the_dropdown_shows_the_bar(self, tab):
        held = Held(tab.page, "/menu/")
        held.press(tab.page.locator(".domain-switcher summary"))
        held.let_go()
        tab.page.wait_for_function(GONE)

    def test_a_question_pressed_twice_is_asked_for_once(self, tab, credential):
        held = Held(tab.page, "/reset/")
        held.press(tab.row(credential).get_by_role("link", name="Reset"), again=True)
        held.let_go()
        expect(tab.dialog).to_be_visible()
        assert len(held.routes) == 1

    def test_a_plain_form_pressed_twice_is_sent_once(self, window, alice):
        page, _ = window(alice)
        page.goto("/domains/add/")
        page.get_by_label("Domain").last.fill("shop.example.org")
        held = Held(page, "/add/")
        held.press(page.get_by_role("main").get_by_role("button", name="Add domain"), again=True)
        held.let_go()
        expect(page.get_by_text("Domain added.")).to_be_visible()
        assert len(held.routes) == 1 and Domain.objects.count() == 1

    @pytest.mark.parametrize(
        ("name", "ending", "told"),
        [
            ("Add New SMTP User", "/add/", "The server didn't answer in time. Reload the page to see whether"),
            ("Show Password", "/reveal/", "The server can't be reached. Check your connection and try again."),
        ],
    )
    def test_waiting_ends_with_what_to_do(self, tab, credential, name, ending, told):
        tab.page.evaluate("htmx.config.timeout = 300")
        held = Held(tab.page, ending)
        tab.page.get_by_role("button", name=name).click()
        tab.told(told)
        tab.watch.problems.clear()
        tab.page.wait_for_function(GONE)
        assert len(held.routes) == 1
        expect(tab.page).to_have_url(smtp_url(credential.domain))
