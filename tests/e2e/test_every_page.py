"""What holds for every page: names for assistive technology, one heading, no id twice, no sideways scroll."""

from collections import Counter
from datetime import timedelta

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.utils import timezone
from playwright.sync_api import expect

from audit.actor import Actor
from domains import members
from tests.accounts.codes import make_totp
from tests.factories import make_credential, make_domain, make_user
from tests.http import smtp_url

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

ACTS = ("reveal", "reset", "delete", "label", "networks", "refused", "connect", "explain")
ACCOUNT = (
    "",
    "email/",
    "password/",
    "sessions/",
    "notifications/",
    "reauthenticate/",
    "two-factor/",
    "two-factor/totp/deactivate/",
)
ACCOUNT += ("two-factor/recovery-codes/", "two-factor/recovery-codes/generate/", "two-factor/webauthn/add/")
GENERAL = ("", "transfer/", "delete/")
NAMED_ROLES = {"button", "link", "textbox", "searchbox", "checkbox", "radio", "combobox", "DisclosureTriangle"}
IDS = "[...document.querySelectorAll('[id]')].map((element) => element.id)"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def complaints(page):
    """What an assistive technology, or a person with one, would stumble over."""
    found = [f"id {name} is there twice" for name, count in Counter(page.evaluate(IDS)).items() if count > 1]
    headings = page.get_by_role("heading", level=1).all_inner_texts()
    if len(headings) != 1:
        found.append(f"h1: {headings}")
    for node in accessibility_nodes(page):
        if not node["ignored"] and node["role"]["value"] in NAMED_ROLES and not node["name"]["value"].strip():
            found.append(f"{node['role']['value']} without a name")
    if overflow := page.evaluate(OVERFLOW):
        found.append(f"{overflow} px too wide")
    return found


def complaints_of(page, paths):
    """The complaints about pages, by path; their width is judged on a phone too."""
    found = {}
    for path in paths:
        page.set_viewport_size(DESKTOP)
        page.goto(path)
        found[path] = complaints(page)
        page.set_viewport_size(PHONE)
        if overflow := page.evaluate(OVERFLOW):
            found[path].append(f"{overflow} px too wide on a phone")
    return {path: each for path, each in found.items() if each}


def accessibility_nodes(page):
    """The tree that Chromium gives to a screen reader."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return nodes


def make_full_row(domain):
    """A credential whose row shows all that a row can show, and as long as it can be."""
    now, networks = timezone.now(), "2001:db8:1111:2222:3333:4444:5555:6666,192.0.2.0/24,198.51.100.7"
    credential = make_credential(
        domain,
        label="WooCommerce store " * 4,
        allowed_networks=networks,
        created_at=now - timedelta(days=400),
        suspended_at=now,
    )
    refused = (credential, "network_not_allowed", "2001:db8:9999:8888:7777:6666:5555:4444")
    type(credential).objects.note_refusal(*refused, at=now)


def make_long_lists(domain, alice):
    """A display name, members and invitations as long as they can be."""
    type(domain).objects.filter(pk=domain.pk).update(title="Shop of the year " * 4)
    long = "l" * 60 + "@" + "d" * 60 + ".example.org"
    domain.memberships.create(user=make_user(long, name="Maximiliane " * 8), role="manager")
    members.invite([domain], [f"i{long}", "new@example.org"], "viewer", by=Actor("Alice", alice))


@pytest.fixture
def pages(credential, alice):
    """The address of every page that a signed-in person comes to."""
    make_full_row(credential.domain)
    make_domain("pending.example", owner=alice, authorized=False)
    make_long_lists(credential.domain, alice)
    home = "/domains/sl.example.com/"
    asked = [smtp_url(credential, act) for act in ACTS]
    plain = [
        "/domains/",
        "/domains/add/",
        home,
        f"{home}activity/",
        f"{home}settings/dns/",
        f"{home}settings/smtp/",
    ]
    plain += [f"{home}settings/{path}" for path in GENERAL]
    plain += [f"{home}settings/members/{path}" for path in ("", "invite/?also=1", "leave/")]
    empty = [
        "/domains/pending.example/",
        "/domains/pending.example/settings/dns/",
        "/domains/pending.example/settings/smtp/",
    ]
    make_totp(alice)
    RecoveryCodes.activate(alice)
    own = [f"/account/{page}" for page in ACCOUNT]
    return [*plain, *empty, *asked, *own, "/logout/", "/no-such-page/"]


class TestEveryPage:
    def test_of_a_signed_in_person(self, window, alice, pages):
        page, watch = window(alice)
        watch.expect(404)
        assert complaints_of(page, pages) == {}

    def test_of_somebody_signed_out(self, window):
        page, _ = window()
        pages = ("/login/", "/account/password/reset/", "/account/password/reset/done/", "/signup/")
        assert complaints_of(page, pages) == {}

    def test_the_tab_with_an_open_menu_popup_and_toast(self, tab, credential):
        tab.page.locator("details.domain-switcher summary").click()
        expect(tab.page.locator("#domain-entries")).to_be_visible()
        assert complaints(tab.page) == []
        tab.page.keyboard.press("Escape")
        tab.press(credential, "Copy username")
        tab.press(credential, "Add label")
        expect(tab.dialog).to_be_visible()
        assert complaints(tab.page) == []
