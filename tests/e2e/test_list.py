"""A list of 25 can be scanned: its height and tab stops, a new row's label, and the way back to a place."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from credentials.outcome import Outcome
from tests.e2e.complaints import DESKTOP, PHONE
from tests.e2e.test_accessibility import VISIBLE
from tests.factories import SYSTEM, make_credential, make_use, password_of
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

MOST_TAB_STOPS, MOST_IN_A_ROW = 210, 8
ROW, ROW_WITH_WARNING = 80, 120
HEIGHTS = [(DESKTOP, 2300), (PHONE, 4500)]
ROWS = """(stops) => [...document.querySelectorAll("tr[id^=cred-]")].map((row) => ({
  height: row.getBoundingClientRect().height,
  warns: !!row.querySelector(".row-note"),
  stops: stops.filter((each) => row.contains(each)).length,
}))"""


@pytest.fixture
def twenty_five(domain):
    """A few of them want attention; the labels and addresses are as long as they are in life."""
    made = [make_credential(domain, label=f"Contact form of shop {number:02}") for number in range(25)]
    for number, credential in enumerate(made[5:]):
        make_use(credential, f"203.0.113.{number}", at=timezone.now() - timedelta(hours=number))
    make_use(made[0], outcome=Outcome.WRONG_PASSWORD, number=24)
    made[1].suspend(by=SYSTEM)
    made[2].reset_password(by=SYSTEM, keep_old_for=timedelta(days=1))
    made[3].set_expiry((timezone.now() + timedelta(days=3)).date(), by=SYSTEM)
    made[4].rename("Ein Formular mit einem Namen, der so lang ist, wie er gerade noch sein darf: 80", by=SYSTEM)
    return made


@pytest.fixture
def tab(open_tab, alice, twenty_five):
    return open_tab(alice)


class TestScanning:
    @pytest.mark.parametrize(("size", "most"), HEIGHTS, ids=["1280", "390"])
    def test_page_of_25_is_short(self, tab, size, most):
        tab.page.set_viewport_size(size)
        assert tab.page.evaluate("document.documentElement.scrollHeight") <= most

    def test_rows_are_low_and_have_few_tab_stops(self, tab):
        rows = tab.page.evaluate(f"() => ({ROWS})(({VISIBLE})())")
        assert len(rows) == 25 and sum(row["warns"] for row in rows) == 4
        assert [row for row in rows if row["stops"] > MOST_IN_A_ROW] == []
        assert [row for row in rows if row["height"] > (ROW_WITH_WARNING if row["warns"] else ROW)] == []

    def test_page_has_few_tab_stops(self, tab):
        # And the skip link, which shows with the focus only.
        assert tab.page.evaluate(f"() => ({VISIBLE})().length") + 1 <= MOST_TAB_STOPS

    def test_new_row_has_few_tab_stops_too(self, tab):
        made = tab.add()
        rows = tab.page.evaluate(f"() => ({ROWS})(({VISIBLE})())")
        assert len(rows) == 1 and rows[0]["stops"] <= MOST_IN_A_ROW and rows[0]["height"] <= ROW
        expect(tab.row(made).get_by_role("button", name="Save")).to_be_hidden()

    def test_credentials_of_a_light_row_log_in(self, tab, twenty_five):
        shop = twenty_five[7]
        password = tab.copied_password(shop)
        tab.press(shop, "Copy username")
        tab.told("Copied.")
        assert tab.clipboard() == shop.username
        assert tab.connection(shop).refusal(password) is None

    def test_shown_password_is_hidden_again_under_the_right_name(self, tab, twenty_five):
        row, name = tab.row(twenty_five[7]), "Contact form of shop 07"
        row.get_by_role("button", name=f"Show Password of {name}", exact=True).click()
        expect(tab.password(twenty_five[7])).to_have_text(password_of(twenty_five[7]))
        row.get_by_role("button", name=f"Hide Password of {name}", exact=True).click()
        expect(row.get_by_role("button", name=f"Show Password of {name}", exact=True)).to_be_visible()


class TestNewLabel:
    @pytest.mark.parametrize("others", [0, 4])
    def test_new_row_opens_with_its_label_field(self, open_tab, alice, domain, others):
        for _ in range(others):
            make_credential(domain)
        tab = open_tab(alice)
        tab.page.get_by_role("button", name="Add New SMTP User").click()
        expect(tab.page.get_by_role("textbox", name="Label of the new SMTP user")).to_be_focused()
        made = domain.credentials.latest("pk")
        tab.page.keyboard.type("Office printer")
        tab.page.keyboard.press("Enter")
        expect(tab.row(made).get_by_role("link", name="Office printer", exact=True)).to_be_focused()
        made.refresh_from_db()
        assert made.label == "Office printer"

    def test_escape_leaves_it_unnamed(self, tab):
        made = tab.add()
        tab.row(made).get_by_role("textbox").press("Escape")
        expect(tab.row(made).get_by_role("link", name="Unnamed")).to_be_focused()
        expect(tab.row(made).get_by_role("textbox")).to_have_count(0)

    def test_error_keeps_what_was_typed(self, tab):
        tab.watch.expect(422)
        made = tab.add()
        field = tab.row(made).get_by_role("textbox")
        field.fill("Shop\u200b")
        tab.page.keyboard.press("Enter")
        expect(tab.row(made)).to_contain_text("Remove the invisible")
        expect(field).to_have_value("Shop\u200b")


class TestWayBack:
    def test_filters_and_orders(self, tab, twenty_five):
        chip = tab.page.get_by_role("navigation", name="Filter").get_by_role("link", name="Suspended 1")
        chip.click()
        expect(tab.rows).to_have_count(1)
        expect(tab.row(twenty_five[1])).to_be_visible()
        tab.page.get_by_role("link", name="All 25").click()
        tab.page.get_by_label("Sort").select_option("Newest")
        expect(tab.rows.first).to_have_id(f"cred-{twenty_five[24].username}")
        expect(tab.page.get_by_role("columnheader", name="Date created")).to_have_attribute(
            "aria-sort", "descending"
        )

    def test_overview_opens_the_list_filtered(self, tab, twenty_five):
        tab.page.get_by_role("link", name="Overview").click()
        tab.page.get_by_role("link", name="Refused 1").click()
        expect(tab.rows).to_have_count(1)
        expect(tab.row(twenty_five[0])).to_be_visible()

    def test_browser_back_shows_the_search_again(self, tab, twenty_five):
        tab.page.get_by_role("searchbox").fill("shop 1")
        expect(tab.rows).to_have_count(10)
        tab.row(twenty_five[12]).get_by_role("link", name="Contact form of shop 12", exact=True).click()
        expect(tab.page).to_have_url(smtp_url(twenty_five[12], "page") + "?back=q%3Dshop%2B1")
        tab.page.go_back()
        expect(tab.rows).to_have_count(10)
        expect(tab.page.get_by_role("searchbox")).to_have_value("shop 1")

    def test_reset_keeps_the_place(self, tab, twenty_five):
        tab.open("?sort=newest&state=in-use")
        tab.press(twenty_five[9], "Reset")
        tab.tick()
        tab.answer("OK")
        tab.told("SMTP password is reset.")
        expect(tab.row(twenty_five[9])).to_contain_text("Reset just now")
        expect(tab.rows).to_have_count(20)
