"""Every page, dialog and message of the site: axe-core finds nothing, and nothing scrolls sideways.

The pages are the routes of tests/routes/table.py, so that a new one is looked at by itself. The
admin is Django's own and left out.
"""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.template.loader import get_template
from django.urls import Resolver404, resolve
from django.utils import timezone
from playwright.sync_api import Error, expect

from accounts.models import User
from audit.actor import Actor
from credentials.digests import digest
from credentials.models import Credential
from credentials.models.deleted import DeletedCredential
from credentials.outcome import Outcome
from credentials.usage.tally import Tally
from domains.members import actions as members
from domains.models import Domain
from tests.accounts.codes import make_recovery_codes, make_totp
from tests.e2e import axe
from tests.e2e.complaints import complaints
from tests.factories import PASSWORD, SYSTEM, make_credential, make_domain, make_use, make_user, password_of
from tests.http import smtp_url
from tests.routes.table import PUBLIC, routes
from tests.routes.world import ANONYMOUS, OWNER, STAFF, VIEWER, make_world

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

HOME = "/domains/sl.example.com/"
SMTP, MEMBERS = f"{HOME}settings/smtp/", f"{HOME}settings/members/"
WITH_DIALOGS = (SMTP, MEMBERS, f"{HOME}settings/")
PENDING = ("", "settings/dns/", "settings/smtp/")
ERRORS = ("403", "404", "429", "500", "503")
PLACES = re.compile(r"[0-9A-F]{32}|[0-9a-f-]{36}")


def make_full_row(domain):
    """A credential whose row shows all that a row can show, and as long as it can be."""
    now, networks = timezone.now(), "2001:db8:1111:2222:3333:4444:5555:6666,192.0.2.0/24,198.51.100.7"
    credential = make_credential(
        domain,
        label="WooCommerce store " * 4,
        allowed_networks=networks,
        created_at=now - timedelta(days=400),
        suspended_at=now,
        expires_at=now + timedelta(days=3),
        previous_valid_until=now + timedelta(days=6),
        previous_last_used_at=now - timedelta(days=2),
        previous_last_used_ip="2001:db8:9999:8888:7777:6666:5555:4444",
    )
    ip = "2001:db8:9999:8888:7777:6666:5555:4444"
    make_use(credential, ip, outcome=Outcome.NETWORK_NOT_ALLOWED)
    make_clients(credential, ip)


def make_clients(credential, ip):
    """Clients with the longest names, one with a retired password, and one of a deleted credential."""
    now, old = timezone.now(), password_of(credential)
    for days in range(30):
        make_use(credential, ip, at=now - timedelta(days=days), number=10 ** days.bit_length())
    tally = Tally()
    tally.add_message(credential.username, ip, ehlo="w" * 254, mail_from="w" * 254)
    tally.write()
    credential.reset_password(by=SYSTEM)
    gone = make_credential(credential.domain, label="l" * 80)
    gone.remove(by=SYSTEM)
    for tried in (credential, gone):
        make_use(tried, ip, outcome=Outcome.WRONG_PASSWORD, digest=digest(credential.username, old))


def make_long_lists(domain, owner):
    """A display name, members and invitations as long as they can be."""
    Domain.objects.filter(pk=domain.pk).update(title="Shop of the year " * 4)
    long = "l" * 60 + "@" + "d" * 60 + ".example.org"
    domain.memberships.create(user=make_user(long, name="Maximiliane " * 8), role="manager")
    members.invite([domain], [f"i{long}", "new@example.org"], "viewer", by=Actor("Owner", owner))


@pytest.fixture
def world(db):
    world = make_world()
    owner = User.objects.get(email=f"{OWNER}@example.com")
    domain = Domain.objects.get()
    make_use(domain.credentials.get())
    make_full_row(domain)
    make_long_lists(domain, owner)
    make_domain("pending.example", owner=owner, authorized=False)
    return world


@pytest.fixture
def enter(window, site, world):
    """Open a window as somebody of the world: enter(role) → page."""

    def enter(role):
        page, watch = window()
        watch.expect(403, 404, 410, 422)
        page.add_init_script(axe.SCRIPT)
        if role != ANONYMOUS:
            name = settings.SESSION_COOKIE_NAME
            page.context.add_cookies([{"name": name, "value": world.sessions[role], "url": site.url}])
        return page

    return enter


def is_page(page, path) -> bool:
    """Go there; False for a fragment, plain text or a file, which are no pages."""
    try:
        page.goto(path)
    except Error as error:
        if "Download is starting" in str(error):
            return False
        raise
    return page.evaluate("document.doctype !== null")


def walk(page, paths) -> dict[str, str]:
    """Look at each page; return the titles by address. Fails with all complaints at once."""
    titles, found = {}, {}
    for path in paths:
        if is_page(page, path) and page.url not in titles:
            titles[page.url] = page.title()
            found[path] = complaints(page)
    assert {path: each for path, each in found.items() if each} == {}
    return titles


def leads_somewhere(url) -> bool:
    try:
        resolve(urlsplit(url).path)
    except Resolver404:
        return False
    return True


def shown(world, chosen=lambda route: True):
    """The addresses of what is shown on GET, as far as `chosen`."""
    ours = [route for route in routes() if not route.name.startswith("admin:")]
    return [world.path(route) for route in ours if route.rights.get and chosen(route)]


class TestEveryPage:
    def test_pages_of_an_owner_with_unique_titles(self, enter, world):
        paths = shown(world, lambda route: route.rights.get is not PUBLIC) + [
            f"/domains/pending.example/{path}" for path in PENDING
        ]
        many = "&".join(f"username={each.username}" for each in Credential.objects.all())
        paths += [f"{SMTP}chosen/{act}/?{many}" for act in ("suspend", "delete")]
        paths += [smtp_url(each, "erase") for each in DeletedCredential.objects.all()]
        titles = walk(enter(OWNER), [*paths, f"{MEMBERS}invite/?also=1", f"{SMTP}?q=nothing+like+it"])
        assert len(titles) > 40
        # A part of a page has its title.
        names = [title for url, title in titles.items() if "?" not in url and "#" not in url]
        assert {name for name in names if names.count(name) > 1} <= {"Page not found · SendLayer"}

    def test_pages_with_two_factor(self, enter, world):
        owner = User.objects.get(email=f"{OWNER}@example.com")
        make_totp(owner)
        make_recovery_codes(owner)
        data = {"name": "Laptop", "credential": {}}
        passkey = Authenticator.objects.create(user=owner, type="webauthn", data=data)
        world.parts["pk"] = str(passkey.pk)
        paths = shown(world, lambda route: route.name.startswith("mfa_") and route.rights.made_up)
        titles = walk(enter(OWNER), [*paths, "/account/two-factor/", "/account/two-factor/reauthenticate/"])
        assert len(titles) == 7

    def test_pages_of_a_viewer_and_without_a_domain(self, enter, world):
        walk(enter(VIEWER), [SMTP, MEMBERS, f"{HOME}settings/"])
        walk(enter(STAFF), ["/domains/"])

    def test_pages_while_signed_out(self, enter, world):
        walk(enter(ANONYMOUS), shown(world, lambda route: route.rights.get is PUBLIC))

    def test_error_pages(self, enter):
        page = enter(ANONYMOUS)
        bodies = {f"/{name}/": get_template(f"{name}.html").render() for name in ERRORS}

        def answer(route):
            route.fulfill(body=bodies[urlsplit(route.request.url).path], content_type="text/html")

        page.route(lambda url: urlsplit(url).path in bodies, answer)
        assert len(walk(page, bodies)) == len(ERRORS)


class TestEveryDialog:
    @pytest.mark.parametrize("path", [*WITH_DIALOGS, "the page of an SMTP user"])
    def test_dialogs_of_each_page(self, enter, path):
        page = enter(OWNER)
        if path not in WITH_DIALOGS:
            path = Credential.objects.exclude(suspended_at=None).get().get_absolute_url()
        page.goto(path)
        dialog, links, found = page.locator("dialog"), page.locator("a[data-dialog]"), {}
        urls = links.evaluate_all("links => links.map((link) => link.href)")
        kinds = {PLACES.sub("*", url): place for place, url in enumerate(urls) if leads_somewhere(url)}
        for kind, place in kinds.items():
            link = links.nth(place)
            link.press("Enter")
            expect(dialog.locator("h2")).to_be_visible()
            found[kind] = complaints(page, "dialog")
            page.keyboard.press("Escape")
            expect(dialog).to_be_hidden()
            expect(link).to_be_focused()
        assert kinds
        assert {kind: each for kind, each in found.items() if each} == {}


class TestEveryState:
    def test_forms_with_errors(self, enter):
        page = enter(OWNER)
        for path in (f"{MEMBERS}invite/", "/domains/add/", "/domains/add/several/", "/account/password/"):
            page.goto(path)
            page.locator("main form .btn.primary").first.click()
            expect(page.locator(".has-error, [role=alert]").first).to_be_visible()
            assert complaints(page) == []

    def test_the_second_step_of_a_sign_in(self, enter, world):
        make_totp(User.objects.get(email=f"{OWNER}@example.com"))
        page = enter(ANONYMOUS)
        page.goto("/login/")
        page.get_by_label("E-mail").fill(f"{OWNER}@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Second step")).to_be_visible()
        assert complaints(page) == []

    def test_open_menus(self, enter, world):
        owner = User.objects.get(email=f"{OWNER}@example.com")
        for number in range(9):
            make_domain(f"shop-{number}.example", owner=owner, authorized=number > 4)
        page = enter(OWNER)
        page.goto(SMTP)
        page.locator("details.domain-switcher summary").click()
        expect(page.get_by_role("searchbox", name="Search domains and SMTP users")).to_be_focused()
        assert complaints(page) == []
        page.get_by_label("Account menu").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        assert complaints(page) == []

    def test_page_of_an_smtp_user_with_everything_that_can_be_in_it(self, enter, world):
        credential = Credential.objects.exclude(suspended_at=None).get()
        until = timezone.now() + timedelta(days=6)
        Credential.objects.filter(pk=credential.pk).update(previous_valid_until=until)
        page = enter(OWNER)
        for query in ("?edit=label", "?edit=networks", "?edit=expiry&tool=laravel", "?clients=2"):
            page.goto(credential.get_absolute_url() + query)
            assert complaints(page) == []
        page.get_by_role("button", name="Explain").click()
        expect(page.get_by_text("Paste a line first.")).to_be_visible()
        page.get_by_role("button", name="Show Password").click()
        expect(page.get_by_role("button", name="Hide Password")).to_be_visible()
        assert complaints(page) == []

    @pytest.mark.parametrize("others", [0, 4])
    def test_tab_with_everything_that_can_be_in_it(self, enter, world, others):
        for _ in range(others):  # more than three are light rows
            make_credential(Domain.objects.get(name="sl.example.com"))
        page = enter(OWNER)
        page.goto(SMTP)
        page.get_by_role("button", name="Add New SMTP User").click()
        row = page.locator("tr.is-new")
        label = row.get_by_role("textbox", name=re.compile("Label of"))
        expect(label).to_be_focused()
        assert complaints(page) == []
        page.get_by_role("button", name="Show Password").first.click()
        expect(page.get_by_role("button", name="Hide Password")).to_be_visible()
        label.fill("\u200b")
        row.get_by_role("button", name="Save").click()
        expect(row.get_by_text("Remove the invisible")).to_be_visible()
        expect(page.get_by_role("button", name="Hide Password")).to_be_visible()
        # That of the new SMTP user may be gone by now.
        page.get_by_role("button", name="Copy username").first.click()
        expect(page.locator(".toast")).not_to_have_count(0)
        assert complaints(page, "#toasts") == []
        # Nor is what lies below a message. All at once: each goes by itself after a while.
        page.get_by_role("button", name="Dismiss").evaluate_all("all => all.forEach((each) => each.click())")
        expect(page.locator(".toast")).to_have_count(0)
        assert complaints(page) == []
