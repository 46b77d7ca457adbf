"""Faults of a page for users of an assistive technology or a small screen."""

from collections import Counter

from tests.e2e import axe

DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
LOOKS = ((DESKTOP, "light"), (PHONE, "dark"))
# As wide as a window of 1280 pixels at 400 % zoom (WCAG 1.4.10).
NARROWEST = {"width": 320, "height": 640}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MISSING_ICONS = """[...document.querySelectorAll("use")]
  .map((use) => use.getAttribute("href")).filter((href) => !document.querySelector(href))"""
IDS = "[...document.querySelectorAll('[id]')].map((element) => element.id)"


def look(page, size, colours):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=colours)


def complaints(page, within="html") -> list[str]:
    """About the page as it is now, light and wide, dark and on a phone, and zoomed in.

    axe looks at what is `within` a selector only.
    """
    page.wait_for_load_state()
    found = [f"id {name} is there twice" for name, count in Counter(page.evaluate(IDS)).items() if count > 1]
    found += [f"icon {href} is missing" for href in page.evaluate(MISSING_ICONS)]
    headings = page.locator("h1").all_inner_texts()
    if len(headings) != 1:
        found.append(f"h1: {headings}")
    for size, colours in LOOKS:
        look(page, size, colours)
        # What is half below the top bar, as it happens to be scrolled, is not too small for that.
        page.evaluate("scrollTo(0, 0)")
        found += [f"{size['width']} {colours}: {each}" for each in axe.violations(page, within)]
    page.set_viewport_size(NARROWEST)
    if overflow := page.evaluate(OVERFLOW):
        found.append(f"{overflow} px too wide at 400 % zoom")
    look(page, *LOOKS[0])
    return found
