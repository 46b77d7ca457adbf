"""The support admin at 1280 pixels: no list and no page scrolls sideways, with the longest names there are.

The page System doesn't on a phone either: alarms come when operators are out.
"""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import Event
from credentials.models import RefusedLogins
from credentials.outcome import Outcome
from domains.models import Domain
from operations.jobs.schedule import JOBS
from operations.models import JobRun
from tests.factories import SYSTEM, make_credential, make_domain, make_use, make_user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
LONG_NAME = ".".join(["a" * 61] * 4 + ["example"])[-253:].lstrip(".")
IP = "2001:db8:9999:8888:7777:6666:5555:4444"
LISTS = (
    "credentials/credential/",
    "credentials/refusedlogins/",
    "domains/domain/",
    "audit/event/",
    "accounts/user/",
    "operations/jobrun/",
)


@pytest.fixture
def filled(db):
    """Rows with the longest text in each column; the paths of their pages."""
    owner = make_user(f"{'o' * 60}@{'e' * 60}.example", name="O" * 100)
    domain = make_domain(LONG_NAME, owner=owner)
    Domain.objects.filter(pk=domain.pk).update(title="T" * 80)
    credential = make_credential(domain, label="WooCommerce-store-" * 4, created_by=owner)
    make_use(credential, IP)
    make_use(credential, IP, outcome=Outcome.DOMAIN_NOT_AUTHORIZED, at=timezone.now() - timedelta(days=3))
    credential.suspend(by=SYSTEM, reason="r" * 200, as_support=True)
    credential.set_expiry((timezone.now() + timedelta(days=400)).date(), by=SYSTEM)
    for job in JOBS:
        JobRun.objects.create(job=job, started_at=timezone.now(), finished_at=timezone.now(), failure="f" * 200)
    refused = RefusedLogins.objects.filter(username=credential.username).latest("pk")
    rows = (credential, domain, owner, Event.objects.latest("pk"), refused)
    return [f"{one._meta.app_label}/{one._meta.model_name}/{one.pk}/change/" for one in rows]


@pytest.fixture
def staff(db):
    return make_user("root@support.example", is_staff=True, is_superuser=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways(window, filled, staff, scheme):
    page, _watch = window(staff, color_scheme=scheme)
    too_wide = []
    for path, width in [*((path, 1280) for path in ("", *LISTS, *filled)), ("operations/jobrun/", 390)]:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"/admin/{path}")
        # Django's lists scroll within their own box.
        wide = page.evaluate(
            """[document.documentElement, ...document.querySelectorAll(".results, .read-only-list, main")]
            .filter(box => box.scrollWidth > box.clientWidth)
            .map(box => `${box.className || box.id || box.tagName} ${box.scrollWidth} > ${box.clientWidth}`)"""
        )
        too_wide += [f"{path}: {box}" for box in wide]
    assert not too_wide


def test_reset_from_a_searched_list_returns_to_it(window, staff, credential):
    credential.rename("Shop", by=SYSTEM)
    page, _watch = window(staff)
    page.goto("/admin/credentials/credential/?state=accepted")
    page.locator("#searchbar").fill(f"{credential.username[:8]}…{credential.username[-8:]}")
    page.locator("#searchbar").press("Enter")
    page.get_by_role("link", name=credential.short_username).click()
    page.get_by_role("button", name="Reset…").click()
    page.get_by_label("Old password stops").select_option("In 24 hours")
    page.get_by_label("Reason").fill("Asked by phone")
    page.get_by_role("button", name="Reset passwords").click()
    expect(page.get_by_text("1 reset.")).to_be_visible()
    expect(page.get_by_role("link", name=credential.short_username)).to_be_visible()
    assert "state=accepted" in page.url and credential.username[:8] in page.url
    credential.refresh_from_db()
    assert credential.previous_valid_until
