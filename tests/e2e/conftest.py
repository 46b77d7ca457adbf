"""A real browser on the real servers. Every window is watched; a failed test leaves its pictures."""

import os
from functools import cache
from pathlib import Path

import pytest
from django.conf import global_settings
from django.test import override_settings
from playwright.sync_api import expect, sync_playwright

from tests.dns.server import dns_server
from tests.e2e import site as sites
from tests.e2e.browser import launch, session_cookie
from tests.e2e.tab import Tab
from tests.e2e.watch import REPORT_VIOLATIONS, Watch

FAILURES = Path(__file__).parent / "failures"
SECONDS = 60


@pytest.fixture(scope="package")
def nsd(tmp_path_factory):
    """The DNS that the site asks."""
    with dns_server(tmp_path_factory.mktemp("nsd")) as server:
        yield server


@pytest.fixture(scope="package", autouse=True)
def real_hash():
    """Servers under a browser know no quicker one."""
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):
        yield


@pytest.fixture(scope="package")
def site(django_db_setup, nsd):
    with sites.serving(DNS_RESOLVERS=nsd.address) as site:
        yield site


# Until this package ends, not the session: Playwright's loop would run under later tests' own.
@pytest.fixture(scope="package")
def chromium(site):
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's loop runs in this thread; Django takes that for an async view.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=SECONDS * 1000)
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.stash[HAS_FAILED] = True
    return report


HAS_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="package")
def browsers(chromium, site):
    """Return the browser of a name and options; its cache, not its cookies, stays from test to test."""

    @cache
    def browser(name="", **options):
        # Still pictures: animations are most of what a headless Chromium computes.
        still = {"viewport": {"width": 1280, "height": 860}, "reduced_motion": "reduce"}
        options = {"base_url": site.url} | still | options
        context = chromium.new_context(**options)
        context.set_default_timeout(SECONDS * 1000)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=options["base_url"])
        context.add_init_script(REPORT_VIOLATIONS)
        context.new_page()  # stays open: the process of the others would end with each test
        return context

    return browser


@pytest.fixture
def window(browsers, site, request):
    """Open a window: window(user, **options) → (page, watch). Without user, nobody is signed in.

    Windows with the same options are tabs of one browser.
    """
    opened = []

    def open_window(user=None, **options):
        browser = browsers(**options)
        if not any(page.context == browser for page, _watch in opened):
            browser.clear_cookies()
        if user:
            browser.add_cookies([session_cookie(user, site.url)])
        page = browser.new_page()
        opened.append((page, watch := Watch(page)))
        return page, watch

    yield open_window
    problems = [problem for _page, watch in opened for problem in watch.problems]
    if problems or request.node.stash.get(HAS_FAILED, False):
        take_pictures(request.node.name, [page for page, _watch in opened])
    for page, _watch in opened:
        page.close()
    assert not problems


def take_pictures(name, pages):
    FAILURES.mkdir(exist_ok=True)
    for number, page in enumerate(pages):
        page.screenshot(path=FAILURES / f"{name.replace('/', '_')}-{number}.png")


@pytest.fixture
def open_tab(window, domain):
    """Open the tab of sl.example.com in a window of its own: open_tab(user) → Tab."""

    def open_tab(user, **options):
        page, watch = window(user, **options)
        return Tab(page, domain, watch).open()

    return open_tab


@pytest.fixture
def tab(open_tab, alice, credential):
    """Alice looks at the tab, which holds `credential`."""
    return open_tab(alice)
