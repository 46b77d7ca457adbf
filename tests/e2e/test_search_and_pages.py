"""A domain with many credentials: pages of 25, and a search."""

import pytest
from playwright.sync_api import expect

from credentials.models import Credential
from tests.factories import make_credential, make_use

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sixty(domain):
    return [make_credential(domain, label=f"Site {number:02}") for number in range(60)]


@pytest.fixture
def tab(open_tab, alice, sixty):
    return open_tab(alice)


class TestSearchAndPages:
    def test_pages_hold_25_and_lead_on_and_back(self, tab, sixty):
        expect(tab.rows).to_have_count(25)
        expect(tab.page.get_by_text("1–25 of 60")).to_be_visible()
        tab.page.get_by_role("link", name="Next").click()
        expect(tab.row(sixty[25])).to_be_visible()
        tab.page.get_by_role("link", name="Previous").click()
        expect(tab.row(sixty[0])).to_be_visible()

    def test_add_jumps_to_the_last_page_where_the_new_row_is_in_view(self, tab):
        made = tab.add()
        expect(tab.row(made)).to_be_in_viewport()
        expect(tab.row(made).get_by_text("New", exact=True)).to_be_visible()
        expect(tab.page.get_by_text("51–61 of 61")).to_be_visible()
        tab.page.reload()
        expect(tab.row(made)).to_be_visible()

    def test_back_after_add_shows_the_page_before(self, tab, sixty):
        tab.page.get_by_role("link", name="Next").click()
        expect(tab.row(sixty[25])).to_be_visible()
        made = tab.add()
        expect(tab.row(made)).to_be_visible()
        tab.page.go_back()
        expect(tab.row(sixty[25])).to_be_visible()
        expect(tab.rows).to_have_count(25)

    def test_the_search_appears_with_the_4th(self, open_tab, alice, domain):
        for _ in range(3):
            make_credential(domain)
        tab = open_tab(alice)
        expect(tab.page.get_by_role("searchbox")).to_have_count(0)
        tab.add()
        expect(tab.page.get_by_role("searchbox")).to_be_visible()

    def test_a_search_finds_labels_usernames_and_addresses(self, tab, sixty):
        make_use(sixty[9], "203.0.113.9")
        search = tab.page.get_by_role("searchbox", name="Search by label, username or IP address")
        for text, found in (
            ("site 42", sixty[42]),
            (f"sasl_username={sixty[7].username.lower()}", sixty[7]),
            (sixty[8].short_username, sixty[8]),
            ("203.0.113.9", sixty[9]),
        ):
            search.fill(text)
            expect(tab.row(found)).to_be_visible()
            expect(tab.rows).to_have_count(1)
            expect(tab.page.locator("#found")).to_have_text("1 SMTP user matches")

    def test_a_found_row_works_and_the_search_stays(self, tab, sixty):
        search = tab.page.get_by_role("searchbox")
        search.fill("Site 4")
        expect(tab.rows).to_have_count(10)
        tab.press(sixty[42], "Delete")
        tab.answer("OK")
        tab.told("SMTP user is deleted.")
        expect(tab.rows).to_have_count(9)
        expect(search).to_have_value("Site 4")

    def test_empty_search_result_offers_a_way_back(self, tab):
        tab.page.get_by_role("searchbox").fill("no such site")
        expect(tab.page.get_by_text("No SMTP user matches “no such site”")).to_be_visible()
        tab.page.get_by_role("link", name="Show all SMTP users").click()
        expect(tab.rows).to_have_count(25)

    def test_add_during_a_search_ends_the_search(self, tab):
        search = tab.page.get_by_role("searchbox")
        search.fill("Site 42")
        expect(tab.rows).to_have_count(1)
        made = tab.add()
        expect(tab.row(made)).to_be_in_viewport()
        expect(search).to_have_value("")

    def test_deleting_the_only_row_of_the_last_page_shows_the_page_before(self, tab, sixty):
        Credential.objects.filter(pk__in=[credential.pk for credential in sixty[51:]]).delete()
        tab.open("?page=3").press(sixty[50], "Delete")
        tab.answer("OK")
        expect(tab.row(sixty[49])).to_be_visible()
