"""Dark and light: as the system has it, or as the user chooses."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

LIGHT, DARK = "rgb(246, 247, 249)", "rgb(15, 20, 27)"


def choose(page, theme):
    page.get_by_label("Account menu").click()
    page.get_by_role("button", name=theme).click()


class TestTheme:
    @pytest.mark.parametrize(("system", "colour"), [("light", LIGHT), ("dark", DARK)])
    def test_theme_follows_the_system(self, open_tab, alice, system, colour):
        tab = open_tab(alice, color_scheme=system)
        expect(tab.page.locator("body")).to_have_css("background-color", colour)

    def test_a_choice_holds_on_every_page_until_it_is_taken_back(self, tab):
        body = tab.page.locator("body")
        for theme, colour in (("Dark", DARK), ("Light", LIGHT), ("Auto", LIGHT)):
            choose(tab.page, theme)
            expect(body).to_have_css("background-color", colour)
            expect(tab.page.get_by_role("heading", name="SMTP Credentials")).to_be_visible()
            tab.page.get_by_role("link", name="Activity").click()
            expect(body).to_have_css("background-color", colour)
            tab.open()

    def test_the_chosen_one_is_marked(self, tab):
        choose(tab.page, "Dark")
        tab.page.get_by_label("Account menu").click()
        expect(tab.page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
        expect(tab.page.get_by_role("button", name="Auto")).not_to_have_attribute("aria-pressed", "true")
