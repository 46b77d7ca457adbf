"""Suspend and Resume on the page of an SMTP user: refused at once, accepted again with the same password."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from audit.actor import Actor
from audit.models import Event
from credentials.models import Heartbeat, Node, RefusalSeen
from tests.factories import make_use, password_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


class TestSuspending:
    def test_suspend_refuses_and_resume_accepts(self, tab, credential):
        tab.open_page(credential)
        password, connection, row = password_of(credential), tab.connection(credential), tab.row(credential)
        tab.press(credential, "Suspend")
        expect(tab.dialog.get_by_role("link", name="Cancel")).to_be_focused()
        expect(tab.dialog).to_contain_text("It has never been used.")
        tab.answer("Suspend")
        tab.told("SMTP user suspended.")
        expect(row.get_by_text("Suspended", exact=True)).to_be_visible()
        assert connection.refusal(password) == 535
        tab.press(credential, "Resume")
        tab.answer("Resume")
        tab.told("SMTP user resumed.")
        expect(row.get_by_role("link", name="Suspend")).to_be_visible()
        assert connection.refusal(password) is None

    def test_suspend_of_recently_used_requires_a_tick(self, tab, credential):
        tab.watch.expect(422)
        make_use(credential)
        tab.open_page(credential).press(credential, "Suspend")
        tab.dialog.get_by_role("button", name="Suspend").click()
        expect(tab.dialog.get_by_text("Nothing was changed yet")).to_be_visible()
        tab.tick()
        tab.answer("Suspend")
        tab.told("SMTP user suspended.")

    def test_suspension_by_support_in_the_meantime_is_reported(self, tab, credential):
        credential.suspend(by=Actor.system("me"))
        tab.open_page(credential).watch.expect(409)
        tab.press(credential, "Resume")
        expect(tab.dialog.get_by_role("button", name="Resume")).to_be_visible()
        credential.suspend(by=Actor.system("support"), as_support=True)
        tab.answer("Resume")
        tab.told("Support suspended this SMTP user, so only support can resume it. Contact support.")
        expect(tab.row(credential)).to_contain_text("Support suspended it")
        expect(tab.row(credential).get_by_role("link", name="Resume")).to_have_count(0)

    def test_page_follows_a_server_until_it_refuses(self, tab, credential):
        now = timezone.now()
        Node.objects.report("mail1", "postfix", version="1", has_replica=True, heartbeat_at=now)
        Heartbeat.objects.update_or_create(defaults={"at": now, "lease_seconds": 300})
        tab.open_page(credential).press(credential, "Suspend")
        tab.answer("Suspend")
        server = tab.page.get_by_role("listitem").filter(has_text="mail1")
        expect(server).to_contain_text("Not confirmed yet. Its lease ends at")
        event = Event.objects.get(tag="credential.suspended")
        RefusalSeen.objects.create(event=event, node=Node.objects.get(name="mail1"), seen_at=timezone.now())
        expect(server).to_contain_text(re.compile("Refused (since|within)"))
        with tab.page.expect_download() as download:
            tab.page.get_by_role("link", name="Download receipt").click()
        assert download.value.suggested_filename == f"revocation-sl.example.com-{event.number}.json"

    def test_without_javascript(self, open_tab, alice, credential):
        tab, password = open_tab(alice, java_script_enabled=False), password_of(credential)
        tab.open_page(credential)
        for act, code in (("Suspend", 535), ("Resume", None)):
            tab.press(credential, act)
            tab.page.get_by_role("button", name=act).click()
            expect(tab.page.get_by_text(f"SMTP user {act.lower().rstrip('e')}ed.")).to_be_visible()
            assert tab.connection(credential).refusal(password) == code
