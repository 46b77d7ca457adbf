"""Offboarding: only owners may; a person is removed from all their domains in one act."""

from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

import audit
from accounts.models import User
from audit.models import Event
from domains.members import offboarding as members
from domains.models import Invitation, Membership
from tests.credentials.leaving import HTMX, by, state, url, usernames
from tests.factories import make_credential, make_domain, make_invitation
from tests.http import at_once, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db


def roles(user):
    return dict(user.memberships.values_list("domain__name", "role"))


class TestPermissions:
    @pytest.mark.parametrize("role", ["viewer", "manager"])
    def test_only_owners_may(self, domain, alice, carol, role):
        domain.memberships.create(user=carol, role=role)
        client = sign_in(Client(), carol)
        before = state()
        for act in ("", "remove", "reset"):
            assert client.get(url(alice, act)).status_code == 403
            if act:
                assert client.post(url(alice, act)).status_code == 403
        assert state() == before

    def test_person_without_ties_to_own_domains_is_as_absent_as_one_who_is_not_there(
        self, as_alice, domain, carol
    ):
        make_credential(other := make_domain("other.example.com", owner=carol))
        other.suspend(by=by(carol))
        nobody = User(pk=999_999_999_999_999_999)
        for act in ("", "remove", "reset"):
            answers = [as_alice.get(url(person, act)) for person in (carol, nobody)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].content == answers[1].content
        assert as_alice.get(url(User(pk=10**18))).status_code == 404

    def test_acts_require_a_recent_sign_in_and_get_changes_nothing(self, alice, bob, known):
        client = sign_in(Client(), alice, ago=timedelta(hours=1))
        assert client.get(url(bob)).status_code == 200
        before = state()
        for act in ("remove", "reset"):
            assert "reauthenticate" in client.post(url(bob, act), usernames(known))["Location"]
        sign_in(client, alice)
        for act in ("remove", "reset"):
            for headers in ({}, HTMX):
                assert client.get(url(bob, act), usernames(known), headers=headers).status_code == 200
        assert state() == before


class TestRemoving:
    def test_member_is_removed_from_all_own_domains_with_an_event_each(self, as_alice, alice, bob, known, shop):
        make_domain("third.example.com", owner=alice).memberships.create(user=bob, role="owner")
        tab = sign_in(Client(), bob)
        assert tab.get("/domains/shop.example.com/settings/smtp/").status_code == 200
        question = text(as_alice.get(url(bob, "remove"), headers=HTMX))
        assert all(name in question for name in ("sl.example.com", "shop.example.com", "third.example.com"))
        assert "They know 3 current passwords" in question
        answer = as_alice.post(url(bob, "remove"), headers=HTMX)
        assert answer["HX-Redirect"] == url(bob)
        page = text(as_alice.get(url(bob)))
        assert "bob@example.com was removed from 3 domains." in page
        assert "They have no access to a domain that you own" in page
        assert roles(bob) == {}
        events = Event.objects.filter(tag="member.removed", actor=alice)
        assert {(event.domain_name, event.data["role"]) for event in events} == {
            ("sl.example.com", "manager"),
            ("shop.example.com", "manager"),
            ("third.example.com", "owner"),
        }
        assert tab.get("/domains/shop.example.com/settings/smtp/").status_code == 404
        assert tab.post(smtp_url(known[0], "copy")).status_code == 404

    def test_domains_of_others_are_kept_and_named_with_the_reason(self, as_alice, alice, bob, domain, carol):
        theirs = make_domain("theirs.example.com", owner=carol)
        theirs.memberships.create(user=alice, role="manager")
        for other in (theirs, make_domain("unseen.example.com", owner=carol)):
            other.memberships.create(user=bob, role="manager")
        page = text(as_alice.get(url(bob)))
        assert "You aren&#39;t an owner of this domain." in page
        assert "unseen.example.com" not in page
        as_alice.post(url(bob, "remove"))
        assert roles(bob) == {"theirs.example.com": "manager", "unseen.example.com": "manager"}

    def test_invitations_to_own_domains_are_revoked(self, as_alice, alice, bob, domain, carol):
        mine = make_invitation(make_domain("mine.example.com", owner=alice), bob.email)
        theirs = make_invitation(make_domain("theirs.example.com", owner=carol), bob.email)
        make_invitation(domain, bob.email)
        assert "mine.example.com" in text(as_alice.get(url(bob, "remove")))
        as_alice.post(url(bob, "remove"))
        assert list(Invitation.objects.all()) == [theirs]
        tags = Event.objects.filter(actor=alice, tag__startswith="member.").order_by("pk")
        assert list(tags.values_list("tag", "domain_name")) == [
            ("member.removed", "sl.example.com"),
            ("member.invitation_revoked", mine.domain.name),
        ]

    def test_invitations_by_a_removed_owner_end(self, as_alice, domain, bob):
        domain.memberships.filter(user=bob).update(role="owner")
        make_invitation(domain, "friend@example.org", by=bob)
        as_alice.post(url(bob, "remove"))
        assert not Invitation.objects.exists()
        assert Event.objects.get(tag="member.invitation_ended").data["inviter"] == bob.email

    def test_own_memberships_are_not_ended_here(self, as_alice, alice, domain, bob):
        shared = make_domain("shared.example.com", owner=alice)
        shared.memberships.create(user=bob, role="owner")
        page = text(as_alice.get(url(alice)))
        assert "press Leave" in page and "No other owner can sign in" in page
        before = state()
        answer = as_alice.post(url(alice, "remove"))
        assert "has no access that you can end" in text(answer)
        assert state() == before

    def test_last_owner_stays_and_the_others_are_removed(self, alice, bob, domain, shop):
        """An owner whose address isn't confirmed any more doesn't count."""
        shop.memberships.filter(user=bob).update(role="owner")
        alice.emailaddress_set.update(verified=False)
        left, staying = members.remove(bob, by=by(alice))
        assert ([each.name for each in left], [each.name for each in staying]) == (
            ["sl.example.com"],
            ["shop.example.com"],
        )
        assert roles(bob) == {"shop.example.com": "owner"}

    def test_fault_half_way_leaves_everything_as_it_was(self, as_alice, bob, known, monkeypatch):
        record, calls = audit.record, []

        def fail_second(*args, **kwargs):
            calls.append(args)
            if len(calls) == 2:
                raise RuntimeError("no more")
            return record(*args, **kwargs)

        before = state()
        monkeypatch.setattr(audit, "record", fail_second)
        with pytest.raises(RuntimeError):
            as_alice.post(url(bob, "remove"))
        assert len(calls) == 2
        assert state() == before

    def test_one_who_never_did_anything_leads_back_to_the_members(self, as_alice, bob, domain):
        assert as_alice.post(url(bob, "remove"))["Location"] == "/domains/sl.example.com/settings/members/"
        assert as_alice.get(url(bob)).status_code == 404

    @pytest.mark.django_db(transaction=True)
    def test_two_owners_who_remove_each_other_leave_one_in_each_domain(self, domain, shop, alice, bob):
        Membership.objects.filter(user=bob).update(role="owner")
        posts = [
            partial(sign_in(Client(), owner).post, url(other, "remove"))
            for owner, other in ((alice, bob), (bob, alice))
        ]
        at_once(*posts)
        for each in (domain, shop):
            assert each.memberships.filter(role="owner").count() == 1

    def test_members_tab_leads_here(self, as_alice, domain, bob):
        member = domain.memberships.get(user=bob)
        question = text(as_alice.get(f"/domains/sl.example.com/settings/members/{member.public_id}/remove/"))
        assert f'href="{url(bob, "remove")}"' in question
        assert f'href="{url(bob)}"' in question
