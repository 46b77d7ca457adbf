"""What a screen reader says of tables and searches: what a row is about, what a link does, what was found."""

import re
from collections import Counter

import pytest
from playwright.sync_api import expect

from tests.factories import SYSTEM, make_credential, make_domain, make_invitation, make_user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

HOME = "/domains/sl.example.com/"
SMTP, MEMBERS = f"{HOME}settings/smtp/", f"{HOME}settings/members/"
TABLES = """() => [...document.querySelectorAll("main table.table")].map((table) => [
  table.caption?.textContent ?? "",
  [...table.tBodies[0].rows].map((row) => row.querySelectorAll("th[scope=row]").length),
])"""
# Links to one place may have one name.
CONTROLS = """() => {
  const name = (each) => (each.getAttribute("aria-label") ?? each.textContent).trim();
  const controls = [...document.querySelectorAll("main :is(a[href], button)")];
  return [...new Map(controls.map((each) => [each.href ?? each, name(each)])).values()];
}"""


@pytest.fixture
def page(window, alice, domain):
    """Everything that has rows has two of them, some with the same label."""
    for name in ("anna", "bert"):
        domain.memberships.create(user=make_user(f"{name}@example.com"), role="viewer")
        make_invitation(domain, f"{name}@example.org", by=alice)
        make_domain(f"{name}.example.com", owner=alice)
        make_credential(domain, label="Web shop")
        make_credential(domain, label="Old shop").remove(by=SYSTEM)
    page, _ = window(alice)
    return page


class TestTables:
    @pytest.mark.parametrize(
        ("path", "number"),
        [
            ("/domains/", 1),
            (MEMBERS, 2),
            (f"{HOME}settings/dns/", 1),
            (f"{HOME}activity/", 1),
            (f"{SMTP}deleted/", 1),
            ("/account/sessions/", 1),
        ],
    )
    def test_rows_have_a_header_and_controls_a_name_of_their_own(self, page, path, number):
        page.goto(path)
        tables = page.evaluate(TABLES)
        assert len(tables) == number and all(caption and rows for caption, rows in tables)
        assert {count for _caption, rows in tables for count in rows} == {1}
        assert [name for name, count in Counter(page.evaluate(CONTROLS)).items() if count > 1] == []


class TestSearches:
    @pytest.mark.parametrize(
        ("path", "search", "found"),
        [
            (f"{MEMBERS}?q=example", "anna", "1 member and 1 invitation found."),
            (f"{SMTP}?q=shop", "nothing like it", "0 SMTP users found."),
        ],
    )
    def test_what_a_search_finds_is_announced(self, page, path, search, found):
        page.goto(path)
        expect(page.locator("#said")).to_have_text("")
        page.get_by_role("searchbox").fill(search)
        expect(page.get_by_role("status").get_by_text(found)).to_be_attached()
        expect(page.locator("#said")).to_have_text(found)

    def test_title_of_the_domains_says_what_was_found(self, page):
        page.goto("/domains/?q=anna")
        expect(page).to_have_title(re.compile("^1 domain found"))
