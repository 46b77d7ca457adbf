"""The domain dropdown at the top left."""

import pytest
from playwright.sync_api import expect

from domains.models import Domain, Membership
from tests.factories import make_domain
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def nine(alice, domain):
    """Nine domains of Alice in the dropdown's order, sl.example.com last."""
    return [make_domain(f"shop-{number}.example", owner=alice) for number in range(1, 9)] + [domain]


@pytest.fixture
def menu(tab):
    return tab.page.locator("details.domain-switcher")


def open_menu(menu):
    menu.locator("summary").click()
    expect(menu.locator("#domain-entries")).to_be_visible()


class TestDomainDropdown:
    def test_choosing_another_domain_keeps_the_tab(self, alice, tab, menu):
        other = make_domain("other.example", owner=alice)
        open_menu(menu)
        menu.get_by_role("link", name="other.example").click()
        expect(tab.page).to_have_url(smtp_url(other))
        expect(menu.locator("summary")).to_have_text("other.example")

    def test_menu_marks_current_domain_and_ends_with_add_domain(self, menu):
        open_menu(menu)
        expect(menu.locator("[aria-current=true]")).to_contain_text("sl.example.com")
        expect(menu.get_by_role("link").last).to_have_text("Add domain")

    def test_typing_filters_the_domains(self, nine, menu):
        open_menu(menu)
        expect(menu.get_by_role("searchbox", name="Search domains and SMTP users")).to_be_focused()
        menu.page.keyboard.type("shop-7")
        expect(menu.locator("#domain-entries a")).to_have_count(1)
        expect(menu.locator("#domain-entries a")).to_contain_text("shop-7.example")
        menu.get_by_role("searchbox").fill("nothing like it")
        expect(menu.get_by_text("Nothing matches “nothing like it”.")).to_be_visible()

    def test_arrow_keys_walk_through_it_and_enter_chooses(self, nine, menu):
        open_menu(menu)
        expect(menu.get_by_role("searchbox")).to_be_focused()
        for key, name in (("ArrowDown", "shop-1.example"), ("ArrowDown", "shop-2"), ("ArrowUp", "shop-1")):
            menu.page.keyboard.press(key)
            expect(menu.get_by_role("link", name=name)).to_be_focused()
        menu.page.keyboard.press("Enter")
        expect(menu.page).to_have_url(smtp_url(nine[0]))

    def test_menu_of_500_domains_has_home_and_end_keys_and_a_visible_search(self, alice, tab, menu):
        owned = Domain.objects.bulk_create(Domain(name=f"shop-{number:03}.example") for number in range(500))
        Membership.objects.bulk_create(Membership(user=alice, domain=each, role="owner") for each in owned)
        open_menu(menu)
        search = menu.get_by_role("searchbox", name="Search domains and SMTP users")
        expect(search).to_be_focused()
        for name in ("All domains", "Add domain"):
            expect(menu.get_by_role("link", name=name)).to_be_in_viewport(ratio=1)
        for key, name in (("End", "Add domain"), ("Home", "shop-000.example"), ("ArrowUp", None)):
            menu.page.keyboard.press(key)
            expect(menu.get_by_role("link", name=name) if name else search).to_be_focused()
            expect(search).to_be_in_viewport()
        expect(menu.locator("#domain-entries a.menu-item")).to_have_count(501)  # the last one: Show all
        menu.page.keyboard.type("499")
        expect(menu.locator("#domain-entries a")).to_have_count(1)
        # In a text these keys are the caret's.
        menu.page.keyboard.press("Home")
        expect(search).to_be_focused()

    def test_an_arrow_key_before_the_answer_is_not_lost(self, tab, menu):
        held = []
        tab.page.route("**/domains/menu/**", lambda route: held.append(route))
        menu.locator("summary").click()
        expect(menu.get_by_role("searchbox")).to_be_focused()
        menu.page.keyboard.press("ArrowDown")
        expect(menu.get_by_role("link", name="All domains")).to_be_focused()
        for _ in range(250):  # the browser tells of the request in its own time
            if held:
                break
            tab.page.wait_for_timeout(20)
        held[0].continue_()
        expect(menu.get_by_role("link", name="sl.example.com")).to_be_focused()

    def test_escape_closes_it_and_the_focus_returns(self, nine, menu):
        open_menu(menu)
        expect(menu.get_by_role("searchbox")).to_be_focused()
        menu.page.keyboard.press("Escape")
        expect(menu.locator(".menu-panel")).to_be_hidden()
        expect(menu.locator("summary")).to_be_focused()

    def test_a_click_elsewhere_closes_it(self, tab, menu):
        open_menu(menu)
        tab.page.get_by_role("heading", name="Settings").click()
        expect(menu.locator(".menu-panel")).to_be_hidden()
