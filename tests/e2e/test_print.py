"""Pages on paper: what they say, black on white, without what can be pressed."""

import re
import zlib

import pytest
from playwright.sync_api import expect

from tests.e2e.complaints import OVERFLOW
from tests.factories import make_use
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

HOME = "/domains/sl.example.com/"
PRESSABLE = "button, .btn, .link, .icon, nav, input, summary .chev, .toast, dialog"
VISIBLE = f"""() => [...document.querySelectorAll("{PRESSABLE}")].filter((each) => each.checkVisibility())
  .map((each) => each.outerHTML.slice(0, 80))"""
# The colours of everything with a text of its own.
COLOURS = """() => [...new Set([...document.querySelectorAll("body *")]
  .filter((each) => each.checkVisibility() && !each.closest("svg, .sr-only"))
  .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .map((each) => getComputedStyle(each).color))]"""
BACKGROUNDS = """() => [...new Set([...document.querySelectorAll("body, body *")]
  .filter((each) => each.checkVisibility() && !each.closest("svg, .sr-only"))
  .map((each) => getComputedStyle(each).backgroundColor))]"""
SHOWN_TEXT = re.compile(rb"T[jJ]\b")
WHITE, NONE = "rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"


def number_of_texts(pdf: bytes) -> int:
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    return sum(len(SHOWN_TEXT.findall(content)) for stream in streams if (content := unpacked(stream)))


def unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:
        return b""


@pytest.fixture
def used(credential):
    make_use(credential)
    return credential


class TestPrint:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("settings/smtp/", "info@sl.example.com"),
            ("settings/dns/", "sendlayer-verification="),
            ("settings/members/", "alice@example.com"),
            ("activity/", "added the SMTP user"),
            ("", "last used"),
        ],
    )
    def test_page_is_black_on_white_without_controls(self, window, alice, used, theme, path, text):
        page, _ = window(alice, color_scheme=theme)
        page.goto(f"{HOME}{path}")
        page.emulate_media(media="print", color_scheme=theme)
        expect(page.locator("main").get_by_text(text).first).to_be_visible()
        expect(page.get_by_text("sl.example.com").first).to_be_visible()
        assert page.evaluate(VISIBLE) == []
        assert page.evaluate(COLOURS) == ["rgb(0, 0, 0)"]
        assert set(page.evaluate(BACKGROUNDS)) <= {WHITE, NONE}
        assert page.evaluate(OVERFLOW) <= 0
        assert number_of_texts(page.pdf()) > 5

    def test_a_shown_password_is_printed_and_a_hidden_one_is_not(self, tab, used):
        tab.press(used, "Show Password")
        expect(tab.row(used).get_by_text("Hide Password")).to_be_visible()
        shown = tab.password(used).inner_text()
        tab.page.emulate_media(media="print")
        expect(tab.page.get_by_text(shown)).to_be_visible()
        assert tab.page.evaluate(VISIBLE) == []

    def test_pages_of_an_smtp_user(self, window, alice, used):
        page, _ = window(alice)
        page.emulate_media(media="print")
        page.goto(smtp_url(used, "page"))
        assert page.evaluate(VISIBLE) == [] and page.evaluate(COLOURS) == ["rgb(0, 0, 0)"]
