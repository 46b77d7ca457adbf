"""The longest names in any script, at any width: nothing is wider than the window, and no button is lost."""

import pytest
from django.conf import settings
from playwright.sync_api import expect

from accounts.models import User
from credentials.models import Credential
from credentials.models.deleted import DeletedCredential
from domains.models import Domain
from tests.e2e.complaints import OVERFLOW
from tests.e2e.test_every_page import is_page, make_full_row, shown
from tests.factories import make_credential, make_domain
from tests.http import smtp_url
from tests.routes.table import PUBLIC
from tests.routes.world import OWNER, make_world

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

WIDTHS = (320, 390, 768, 1280, 1920)
LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 57, "com"])
HEBREW, CHINESE = "\u05d0" * 80, "\u5c0f" * 80
NAMES = {"xn--4dbrk0ce.com": "\u05d9\u05e9\u05e8\u05d0\u05dc.com", "xn--fiqs8s.com": "\u4e2d\u56fd.com"}

# What can be pressed or typed into, is outside of the window or of its card, and can't be scrolled to.
LOST = """() => {
  const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowX);
  const ancestors = (element) => element ? [element, ...ancestors(element.parentElement)] : [];
  const width = document.documentElement.clientWidth;
  const pressed = "main a, main button, main input:not([type=hidden]), main select, .topbar a, summary";
  return [...document.querySelectorAll(pressed)].flatMap((element) => {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.matches(".sr-only")) return [];
    const around = ancestors(element.parentElement);
    if (around.some(scrolls)) return [];
    const edge = element.closest(".card, .toast, dialog")?.getBoundingClientRect().right ?? width;
    const { left, right } = element.getBoundingClientRect();
    const isLost = left < 0 || right > Math.min(edge, width) + 1 || right - left < 1;
    return isLost ? [`${element.outerHTML.slice(0, 90)} from ${left | 0} to ${right | 0}`] : [];
  });
}"""
# Elements of a card whose box leaves it.
SPILT = """() => [...document.querySelectorAll(".card, .topbar, dialog[open], .menu-panel")].flatMap((card) => {
  const isHidden = (element) => getComputedStyle(element).overflowX !== "visible";
  const edge = card.getBoundingClientRect().right + 1;
  return [...card.querySelectorAll("*")].flatMap((element) => {
    if (!element.checkVisibility() || element.closest("svg, .sr-only, .menu-panel:not(:scope)")) return [];
    for (let around = element.parentElement; around !== card; around = around.parentElement)
      if (isHidden(around)) return [];
    const { right } = element.getBoundingClientRect();
    return right > edge ? [`${element.outerHTML.slice(0, 90)} to ${right | 0} of ${edge | 0}`] : [];
  });
})"""


def faults(page) -> list[str]:
    """What is too wide or lost, at every width."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 860})
        if overflow := page.evaluate(OVERFLOW):
            found.append(f"{width}: {overflow} px too wide")
        found += [f"{width}: lost {each}" for each in page.evaluate(LOST)]
        found += [f"{width}: spilt {each}" for each in page.evaluate(SPILT)]
    return found


@pytest.fixture
def world(db):
    """All names as long as they can be."""
    world = make_world()
    owner = User.objects.get(email=f"{OWNER}@example.com")
    domain = Domain.objects.get()
    make_full_row(domain)
    for label in ("l" * 80, HEBREW, CHINESE):
        make_credential(domain, label=label)
    long = "i" * 64 + "@" + ".".join(["e" * 63, "f" * 63, "g" * 57, "org"])
    User.objects.filter(pk=owner.pk).update(name="N" * 100)
    User.objects.filter(memberships__role="viewer").update(email=long, name=HEBREW)
    domain.invitations.update(email=long)
    for name, shown_name in NAMES.items():
        other = make_domain(name, owner=owner, authorized=False)
        Domain.objects.filter(pk=other.pk).update(display_name=shown_name, title=CHINESE)
    Domain.objects.filter(pk=domain.pk).update(name=LONGEST, display_name="", title=HEBREW)
    world.parts["name"] = LONGEST
    return world


@pytest.fixture
def page(window, site, world):
    page, watch = window()
    watch.expect(403, 404, 422)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": world.sessions[OWNER], "url": site.url}
    page.context.add_cookies([cookie])
    return page


class TestLongNames:
    def test_pages(self, page, world):
        many = "&".join(f"username={each.username}" for each in Credential.objects.all())
        smtp = smtp_url(Domain.objects.get(name=LONGEST))
        paths = shown(world, lambda route: route.rights.get is not PUBLIC)
        paths += [f"{smtp}chosen/delete/?{many}", f"{smtp}?q={'q' * 100}"]
        paths += [smtp_url(each, "erase") for each in DeletedCredential.objects.all()]
        found = {path: faults(page) for path in paths if is_page(page, path)}
        assert len(found) > 40
        assert {path: each for path, each in found.items() if each} == {}

    def test_menus_and_dialogs(self, page, world):
        smtp = smtp_url(Domain.objects.get(name=LONGEST))
        page.goto(smtp)
        page.locator(".domain-switcher summary").click()
        expect(page.locator("#domain-entries .menu-item")).to_have_count(3)
        found = faults(page)
        page.get_by_label("Account menu").click()
        found += faults(page)
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Reset").first.click()
        expect(page.locator("dialog h2")).to_be_visible()
        found += faults(page)
        assert found == []
