"""The Support group, and the acts of support staff for people and DNS, with a reason and an event."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from audit.actor import Actor
from audit.models import Event
from credentials.models import HandOver
from domains.models.dns_record import DnsRecord
from domains.verification import background
from tests.accounts.codes import make_totp
from tests.factories import SYSTEM, make_domain
from tests.http import delivered, sign_in, text

pytestmark = pytest.mark.django_db
USERS, DOMAINS, LINKS = "/admin/accounts/user/", "/admin/domains/domain/", "/admin/credentials/handover/"


def act(client, path, name, *rows, reason="asked by phone"):
    fields = {"action": name, "_selected_action": [row.pk for row in rows], "reason": reason}
    response = client.post(path, fields)
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_support_group_has_exactly_these_rights():
    rights = Group.objects.get(name="Support").permissions.values_list("content_type__app_label", "codename")
    assert {f"{app}.{name}" for app, name in rights} == {
        *("accounts.view_user", "accounts.add_user", "accounts.change_user", "audit.view_event"),
        *("credentials.view_credential", "credentials.change_credential", "credentials.delete_credential"),
        *("credentials.view_handover", "credentials.change_handover"),
        *("credentials.view_refusedlogins", "domains.view_domain", "domains.change_domain"),
        *("domains.view_dnsrecord", "domains.view_membership", "domains.add_membership"),
        *("domains.change_membership", "domains.delete_membership"),
    }


class TestSessions:
    def test_all_sessions_of_a_person_end(self, as_sam, alice):
        browser = sign_in(Client(), alice)
        assert browser.get("/domains/").status_code == 200
        assert act(as_sam, USERS, "end_sessions", alice) == ["1 signed out everywhere."]
        assert browser.get("/domains/").status_code == 302
        assert not UserSession.objects.filter(user=alice).exists()
        event = Event.objects.get(tag="support.sessions_ended")
        assert event.data == {"user": alice.email, "reason": "asked by phone"}

    def test_support_can_not_end_sessions_of_a_superuser(self, as_sam, root):
        assert act(as_sam, USERS, "end_sessions", root) == ["root@support.example is a superuser."]


class TestHandOverLinks:
    @pytest.fixture
    def link(self, credential, alice):
        return credential.hand_overs.make(timedelta(days=7), by=Actor(alice.email, alice))[0]

    def test_support_revokes_with_a_reason(self, as_sam, link):
        assert act(as_sam, LINKS, "revoke", link) == ["1 revoked."]
        event = Event.objects.get(tag="credential.hand_over_revoked")
        assert event.data["reason"] == "asked by phone" and event.data["maker"] == "alice@example.com"

    def test_staff_who_may_only_view_can_not_revoke(self, as_vera, link):
        assert link.credential.short_username in text(as_vera.get(LINKS))
        act(as_vera, LINKS, "revoke", link)
        assert HandOver.objects.get().revoked_at is None

    def test_state_says_why_a_link_no_longer_works(self, as_sam, link, alice):
        link.credential.domain.memberships.filter(user=alice).update(role="viewer")
        assert "Void: its maker may not show the password any more" in text(as_sam.get(LINKS))
        link.credential.reset_password(by=SYSTEM)
        assert "Ended by a reset" in text(as_sam.get(LINKS))


class TestTwoFactor:
    def test_removal_notifies_the_person(self, as_sam, alice, bob):
        make_totp(alice)
        messages = act(as_sam, USERS, "remove_two_factor", alice, bob)
        assert messages == ["1 now without two-factor, 1 was already without it."]
        assert not Authenticator.objects.exists()
        assert Event.objects.get(tag="support.two_factor_removed").data["user"] == alice.email
        (message,) = delivered()
        assert (message.to, message.subject) == ([alice.email], "Two-factor was removed from your account")

    def test_own_and_superusers_second_factor_can_not_be_removed(self, as_sam, sam, root):
        make_totp(sam)
        make_totp(root)
        messages = act(as_sam, USERS, "remove_two_factor", root, sam)
        assert Authenticator.objects.count() == 2 and not Event.objects.filter(tag__startswith="support.")
        assert "root@support.example is a superuser" in messages[0] and "is you" in messages[0]

    def test_removal_needs_a_reason(self, as_sam, alice):
        make_totp(alice)
        act(as_sam, USERS, "remove_two_factor", alice, reason=" ")
        assert Authenticator.objects.exists()


class TestDns:
    @pytest.fixture
    def begun(self, monkeypatch):
        """The domains whose checks began, without any thread."""
        begun = []

        def start(domain, *, by):
            if domain in begun:
                raise background.TooSoon
            begun.append(domain)

        monkeypatch.setattr(background, "start", start)
        return begun

    def test_verify_now_begins_a_check(self, as_sam, begun):
        domain = make_domain("new.example.com", authorized=False)
        assert act(as_sam, DOMAINS, "verify", domain) == ["1 being checked."]
        assert begun == [domain]
        assert Event.objects.get(tag="support.verify_asked").data == {"reason": "asked by phone"}
        assert act(as_sam, DOMAINS, "verify", domain)[-1] == "new.example.com was checked a moment ago."
        assert Event.objects.filter(tag="support.verify_asked").count() == 1

    def test_domain_page_shows_records_read_only(self, as_sam, domain):
        checked_at = timezone.now() - timedelta(hours=1)
        DnsRecord.objects.create(
            domain=domain, kind="spf", host=domain.name, status="wrong", found="<b>x", checked_at=checked_at
        )
        page = as_sam.get(f"{DOMAINS}{domain.pk}/change/").content.decode()
        assert "&lt;b&gt;x" in page and "Verify now…" in page
        assert 'name="dns_records-0-found"' not in page
