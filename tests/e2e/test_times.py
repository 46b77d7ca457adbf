"""Times in the zone of who looks, which is named; without JavaScript in the site's."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import Event
from credentials.models import Credential
from tests.factories import make_use

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

WINTER = datetime(2026, 1, 31, 20, 5, 7, tzinfo=UTC)
ZONES = [
    ("Europe/Berlin", "Jan 31, 2026, 21:05 CET", "Jan 31, 2026, 21:05:07 CET · Jan 31, 2026, 20:05:07 UTC"),
    ("America/New_York", "Jan 31, 2026, 15:05 EST", "Jan 31, 2026, 15:05:07 EST · Jan 31, 2026, 20:05:07 UTC"),
    ("Asia/Tokyo", "Feb 1, 2026, 05:05 GMT+9", "Feb 1, 2026, 05:05:07 GMT+9 · Jan 31, 2026, 20:05:07 UTC"),
    ("UTC", "Jan 31, 2026, 20:05 UTC", "Jan 31, 2026, 20:05:07 UTC"),
]


@pytest.fixture
def expired(credential):
    """Expired and made in winter, used just now."""
    Credential.objects.filter(pk=credential.pk).update(expires_at=WINTER, created_at=WINTER)
    make_use(credential, at=timezone.now())
    return credential


class TestTimes:
    @pytest.mark.parametrize(("zone", "text", "title"), ZONES)
    def test_times_are_in_the_zone_of_the_browser(self, open_tab, alice, expired, zone, text, title):
        tab = open_tab(alice, timezone_id=zone)
        times = tab.page.locator(f'time[datetime^="{WINTER:%Y-%m-%dT%H:%M:%S}"]')
        note = times.filter(has_text=text).first
        expect(note).to_have_attribute("title", title)
        # A date without time of day is the day in that zone, and what was a moment ago stays so.
        expect(times.filter(has_not_text=":").first).to_have_text(text.rpartition(", ")[0])
        expect(tab.page.locator("time", has_text="Just now").first).to_be_visible()

    def test_times_of_a_part_that_is_loaded_later(self, open_tab, alice, expired):
        tab = open_tab(alice, timezone_id="Asia/Tokyo")
        tab.page.get_by_role("button", name="Add New SMTP User").click()
        tab.told("New SMTP user is added.")
        expect(tab.page.get_by_text("Feb 1, 2026, 05:05 GMT+9").first).to_be_visible()

    def test_times_without_javascript_name_the_zone_of_the_site(self, open_tab, alice, expired):
        tab = open_tab(alice, timezone_id="Asia/Tokyo", java_script_enabled=False)
        expect(tab.page.get_by_text("Jan 31, 2026, 20:05 UTC").first).to_be_visible()

    def test_activity_has_the_same_hour_as_the_visitor(self, window, alice, expired):
        page, _ = window(alice, timezone_id="Europe/Berlin")
        page.goto(f"/domains/{expired.domain.name}/activity/")
        at = Event.objects.order_by("-pk")[0].at.astimezone(ZoneInfo("Europe/Berlin"))
        expect(page.get_by_role("row").nth(1)).to_contain_text(f"{at.day}, {at.year}, {at:%H:%M %Z}")
