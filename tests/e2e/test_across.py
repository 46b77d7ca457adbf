"""The stories of an agency: to find a credential, and what needs attention, among many domains."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from credentials.models import Credential
from domains.models import Domain
from tests.e2e import axe
from tests.e2e.complaints import complaints
from tests.factories import make_credential, make_domain
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
LONG_AGO = timezone.now() - timedelta(days=100)


@pytest.fixture
def sixty(alice):
    """60 domains with one SMTP user each: every tenth is idle, one is suspended and one pending."""
    made = [
        make_domain(f"shop-{number:02}.example", owner=alice, authorized=number != 5) for number in range(60)
    ]
    for number, domain in enumerate(made):
        used = LONG_AGO if number % 10 == 0 else timezone.now() - timedelta(hours=number)
        make_credential(domain, label=f"Shop {number}", last_used_at=used, last_used_ip=f"203.0.113.{number}")
    Domain.objects.filter(pk=made[7].pk).update(suspended_at=timezone.now())
    return made


@pytest.fixture
def page(window, alice, sixty):
    page, _watch = window(alice)
    page.goto("/domains/shop-01.example/")
    return page


def wanted() -> Credential:
    return Credential.objects.select_related("domain").get(label="Shop 42")


class TestFindingACredential:
    @pytest.mark.parametrize("key", ["/", "Control+k", "Meta+k"])
    def test_by_the_username_of_a_log_in_three_actions(self, page, key):
        credential = wanted()
        page.keyboard.press(key)
        page.keyboard.type(f"sasl_username={credential.username.lower()}")
        page.keyboard.press("Enter")
        expect(page).to_have_url(credential.get_absolute_url())

    def test_by_short_username_label_and_address(self, page):
        credential = wanted()
        menu = page.locator("details.domain-switcher")
        for text in (f"{credential.username[:8]}…", "Shop 42", "203.0.113.42"):
            page.keyboard.press("/")
            page.get_by_role("searchbox").fill(text)
            found = menu.locator("#domain-entries").get_by_role("link")
            expect(found).to_have_count(1)
            expect(found).to_contain_text("Shop 42")
            expect(found).to_contain_text("shop-42.example")
            page.keyboard.press("ArrowDown")
            expect(found).to_be_focused()
            page.keyboard.press("Escape")
            expect(menu.locator(".menu-panel")).to_be_hidden()

    def test_result_says_how_many_were_found(self, page):
        page.keyboard.press("/")
        page.keyboard.type("shop-1")
        expect(page.get_by_role("status").filter(has_text="10 domains, 0 SMTP users")).to_have_count(1)

    def test_enter_before_the_answer_opens_the_first_of_the_answer(self, page):
        page.route("**/domains/menu/**", lambda route: (page.wait_for_timeout(300), route.continue_()))
        page.keyboard.press("/")
        page.keyboard.type("Shop 42\n")
        expect(page).to_have_url(wanted().get_absolute_url())

    def test_enter_without_a_result_stays(self, page):
        page.keyboard.press("/")
        page.keyboard.type("nothing like it\n")
        expect(page.get_by_text("Nothing matches “nothing like it”.")).to_be_visible()
        expect(page).to_have_url("/domains/shop-01.example/")

    def test_enter_before_the_list_has_come_opens_nothing_else(self, page):
        # The list is asked for in an event after all this.
        page.evaluate("""() => {
          const menu = document.querySelector("details.domain-switcher");
          const search = menu.querySelector("input");
          menu.open = true;
          search.value = "nothing like it";
          search.form.requestSubmit();
        }""")
        expect(page.get_by_text("Nothing matches “nothing like it”.")).to_be_visible()
        expect(page).to_have_url("/domains/shop-01.example/")

    def test_slash_in_a_field_is_a_character(self, page):
        page.goto("/domains/add/")
        page.keyboard.type("a/b")
        expect(page.get_by_label("Domain name")).to_have_value("a/b")
        expect(page.locator("details.domain-switcher .menu-panel")).to_be_hidden()

    def test_slash_leaves_an_open_dialog_alone(self, page):
        page.goto("/domains/shop-01.example/settings/")
        page.get_by_role("link", name="Delete…").click()
        expect(page.locator("dialog h2")).to_be_visible()
        page.locator("dialog").get_by_role("link", name="Cancel").focus()
        page.keyboard.press("/")
        expect(page.locator("details.domain-switcher .menu-panel")).to_be_hidden()

    def test_results_have_no_complaint(self, page):
        page.evaluate(axe.SCRIPT)
        page.keyboard.press("/")
        page.keyboard.type("shop 4")
        expect(page.locator("#domain-entries")).to_contain_text("Shop 42")
        assert complaints(page) == []


class TestWhatNeedsAttention:
    def test_idle_ones_of_60_domains_in_two_actions(self, page):
        page.goto("/domains/")
        page.get_by_role("link", name="Unused SMTP users 6").click()
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(6)
        page.get_by_role("link", name="Shop 30").click()
        expect(page).to_have_url(Credential.objects.get(label="Shop 30").get_absolute_url())

    def test_all_and_add_are_reached_without_scrolling(self, page):
        page.goto("/domains/")
        for name in ("Add domain", "Add several", "All 60"):
            expect(page.locator("main").get_by_role("link", name=name)).to_be_in_viewport(ratio=1)

    def test_words_of_a_row_lead_to_what_they_name(self, page):
        page.goto("/domains/?state=attention")
        expect(page.locator("tbody tr")).to_have_count(8)
        page.locator("tr", has_text="shop-10.example").get_by_role("link", name="1 unused").click()
        expect(page).to_have_url(smtp_url(Domain.objects.get(name="shop-10.example")) + "?state=unused")

    def test_pages_have_no_complaint(self, page):
        for query in ("", "?state=attention&sort=attention", "?state=unused", "?q=shop+4", "?q=nothing"):
            page.goto(f"/domains/{query}")
            page.evaluate(axe.SCRIPT)
            assert complaints(page) == [], query


class TestAddingSeveral:
    def test_a_list_is_pasted_and_what_failed_is_mended(self, page, alice):
        make_domain("owned.com", owner=alice)
        page.goto("/domains/")
        page.get_by_role("link", name="Add several").click()
        page.get_by_label("Domain names").fill("https://one.com/\nTWO.com, owned.com\nmy three.com")
        page.get_by_role("button", name="Add domains").click()
        expect(page.get_by_role("heading", name="2 domains added")).to_be_visible()
        expect(page.get_by_role("heading", name="Already in your list")).to_be_visible()
        page.evaluate(axe.SCRIPT)
        assert complaints(page) == []
        field = page.get_by_label("Domain names")
        expect(field).to_have_value("my three.com")
        field.fill("my-three.com")
        page.get_by_role("button", name="Add domains").click()
        expect(page.get_by_role("heading", name="1 domain added")).to_be_visible()
        expect(page.get_by_role("link", name="my-three.com")).to_be_visible()


class TestWithoutJavaScript:
    @pytest.fixture
    def page(self, window, alice, sixty):
        page, _watch = window(alice, java_script_enabled=False)
        page.goto("/domains/shop-01.example/")
        return page

    def test_search_of_the_dropdown_and_filters(self, page):
        page.locator("details.domain-switcher summary").click()
        page.get_by_role("searchbox", name="Search domains and SMTP users").fill(wanted().username)
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Shop 42").click()
        expect(page).to_have_url(wanted().get_absolute_url())
        page.goto("/domains/")
        page.get_by_role("link", name="Pending 1").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("link", name="Pending", exact=True).click()
        expect(page).to_have_url("/domains/shop-05.example/settings/dns/")
