"""What no tool finds: visible focus, size of targets, forced colours, motion, and our tables."""

import pytest
from playwright.sync_api import expect

from tests.e2e.complaints import PHONE
from tests.e2e.test_every_page import make_full_row

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

CONTROLS = "a[href], button, summary, input:not([type=hidden]), select, textarea"
# In the order of the document, without those that only show with the focus.
VISIBLE = f"""() => [...document.querySelectorAll("{CONTROLS}")]
  .filter((each) => each.checkVisibility({{ visibilityProperty: true }}) && !each.matches(".skip-link"))"""
NAME = "(each.getAttribute('aria-label') || each.textContent).trim()"
LEAST = 24  # CSS pixels, WCAG 2.5.8
FOCUSED = f"""() => {{
  const each = document.activeElement;
  const style = getComputedStyle(each);
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return [each.matches("{CONTROLS}"), seen, {NAME}];
}}"""
ROLES = {"table", "rowgroup", "row", "columnheader", "rowheader", "cell"}


@pytest.fixture
def tab(tab, domain):
    make_full_row(domain)
    return tab.open()


def roles(page):
    """How often Chromium tells a screen reader each role of a table."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    found = [node["role"]["value"] for node in nodes if not node["ignored"]]
    return {role: found.count(role) for role in ROLES}


class TestControls:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_tab_reaches_each_control_in_order_with_visible_focus(self, tab, width):
        page = tab.page
        page.set_viewport_size({"width": width, "height": 860})
        names = page.evaluate(f"() => ({VISIBLE})().map((each) => {NAME})")
        page.keyboard.press("Tab")  # the skip link
        reached = []
        for _ in names:
            page.keyboard.press("Tab")
            reached.append(page.evaluate(FOCUSED))
        assert [name for is_control, seen, name in reached if is_control and seen] == names

    def test_each_control_is_large_enough_to_touch(self, tab):
        tab.page.set_viewport_size(PHONE)
        sizes = f"() => ({VISIBLE})().map((each) => [{NAME}, each.getBoundingClientRect()])"
        small = [
            f"{name}: {box['width']} × {box['height']}"
            for name, box in tab.page.evaluate(sizes)
            if min(box["width"], box["height"]) < LEAST
        ]
        assert small == []


class TestTables:
    def test_tables_shown_as_cards_on_a_phone_stay_tables(self, tab):
        wide = roles(tab.page)
        assert wide["table"] == 1 and wide["columnheader"] == 5 and wide["row"] == wide["rowheader"] + 1 == 3
        tab.page.set_viewport_size(PHONE)
        assert roles(tab.page) == wide


class TestMessages:
    def test_errors_interrupt_a_screen_reader_and_other_messages_do_not(self, tab, credential):
        tab.press(credential, "Copy username")
        expect(tab.page.locator("#toasts[role=status]")).to_contain_text("Copied.")
        tab.watch.expect(404)
        credential.delete()
        tab.press(credential, "Reset")
        expect(tab.page.get_by_role("alert")).to_contain_text("This SMTP user no longer exists.")

    def test_error_in_a_popup_is_announced_in_it(self, tab, credential):
        tab.press(credential, "Reset")
        tab.dialog.get_by_role("checkbox").or_(tab.dialog.get_by_role("button")).first.focus()
        tab.page.context.set_offline(True)
        tab.dialog.get_by_role("button", name="OK").click()
        expect(tab.dialog.get_by_role("alert")).to_contain_text("The server can't be reached.")
        tab.page.context.set_offline(False)
        tab.watch.problems.clear()
        tab.answer("OK")
        expect(tab.page.get_by_role("alert")).to_have_count(0)


class TestOnesOwnColoursAndMotion:
    def test_forced_colours_keep_what_backgrounds_said(self, tab):
        tab.page.emulate_media(forced_colors="active")
        dot = tab.page.locator(".domain-switcher summary .dot")
        expect(dot).to_have_css("background-color", "rgb(19, 115, 67)")
        current, other = (
            tab.page.locator(f".tabs a{which}").first for which in ("[aria-current]", ":not([aria-current])")
        )
        colour = "each => getComputedStyle(each).borderBottomColor"
        assert current.evaluate(colour) != other.evaluate(colour)
        expect(tab.page.locator(".sidenav [aria-current]")).to_have_css("outline-style", "solid")

    def test_reduced_motion_stops_animations(self, tab):
        add = tab.page.get_by_role("button", name="Add New SMTP User")
        add.evaluate("button => button.classList.add('is-busy')")
        turns = "button => getComputedStyle(button, '::before').animationIterationCount"
        assert add.evaluate(turns) == "1"
        tab.page.emulate_media(reduced_motion="no-preference")
        assert add.evaluate(turns) == "infinite"
