"""One font for all names, of which a page loads only what its text needs."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_credential

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

LOADED = """async () => {
  await document.fonts.ready;
  const names = performance.getEntriesByType("resource").map((entry) => entry.name);
  return names.map((name) => name.match(/(inter-[a-z-]+)\\..*woff2/)?.[1]).filter(Boolean).sort();
}"""
# As wide as in the font that the page names first: no letter came from another one.
SAME_FONT = """(text) => {
  const context = document.createElement("canvas").getContext("2d");
  const width = (font) => ((context.font = font), context.measureText(text).width);
  return width("15px Inter, monospace") === width("15px Inter, serif");
}"""


class TestFonts:
    @pytest.mark.parametrize(
        ("label", "fonts"),
        [
            ("Plain shop", ["inter-latin"]),
            ("Müller & Søn, Łódź", ["inter-latin", "inter-latin-ext"]),
            ("Cửa hàng Việt", ["inter-latin", "inter-latin-ext"]),
            ("Магазин", ["inter-greek-cyrillic", "inter-latin"]),
            ("Κατάστημα", ["inter-greek-cyrillic", "inter-latin"]),
        ],
    )
    def test_page_loads_the_fonts_of_its_letters(self, open_tab, alice, domain, label, fonts):
        make_credential(domain, label=label)
        tab = open_tab(alice)
        expect(tab.page.get_by_text(label)).to_be_visible()
        assert tab.page.evaluate(LOADED) == fonts
        assert tab.page.evaluate(SAME_FONT, label)
