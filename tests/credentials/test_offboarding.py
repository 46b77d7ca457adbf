"""Offboarding: a person leaves all domains of an owner, and the passwords that they know are reset."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import audit
from accounts.models import User
from audit.actor import Actor
from audit.models import Event
from credentials import offboarding
from credentials.models import Credential
from domains.models import Domain, Invitation, Membership
from tests.factories import (
    make_credential,
    make_domain,
    make_invitation,
    make_use,
    password_of,
)
from tests.http import at_once, delivered, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
TICK = "I understand that anything using them will stop sending."


def url(person, act="", domain="sl.example.com"):
    path = f"/domains/{domain}/settings/members/offboarding/{person.pk}/"
    return f"{path}{act}/" if act else path


def by(user):
    return Actor(user.email, user)


def learn(credential, user, how="credential.password_shown"):
    credential.reveal(how, by=by(user))


def listed(owner, person) -> offboarding.Passwords:
    """The labels of each part of the list."""
    known = offboarding.known_by(person.pk, owner)
    return offboarding.Passwords(*([item.credential.label for item in part] for part in known))


def roles(user):
    return dict(user.memberships.values_list("domain__name", "role"))


def state():
    rows = [list(model.objects.order_by("pk").values()) for model in (Credential, Membership, Invitation)]
    return *rows, Event.objects.count()


@pytest.fixture
def shop(alice, bob):
    """shop.example.com of Alice, with Bob as its manager."""
    shop = make_domain("shop.example.com", owner=alice)
    shop.memberships.create(user=bob, role="manager")
    return shop


@pytest.fixture
def known(domain, shop, bob):
    """Three credentials whose passwords Bob knows: two of sl.example.com, one of shop.example.com."""
    Membership.objects.filter(user=bob).update(role="manager")
    rows = [make_credential(domain, label="A"), make_credential(domain, label="B")]
    rows.append(make_credential(shop, label="C"))
    for row in rows:
        learn(row, bob)
    return rows


def usernames(credentials, **fields):
    return {"username": [row.username for row in credentials], **fields}


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
        from domains.members import offboarding as members

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


class TestList:
    @pytest.mark.parametrize("how", ["credential.password_shown", "credential.password_copied"])
    def test_shown_and_copied_passwords_are_listed(self, alice, bob, domain, how):
        learn(make_credential(domain, label="A"), bob, how)
        make_credential(domain, label="B").rename("C", by=by(bob))
        assert listed(alice, bob).current == ["A"]

    def test_added_and_reset_passwords_are_listed(self, alice, bob, domain):
        domain.credentials.issue(by=by(bob), label="A")
        make_credential(domain, label="B").reset_password(by=by(bob))
        assert listed(alice, bob).current == ["A", "B"]

    def test_password_that_was_reset_since_is_listed_as_such(self, alice, bob, known):
        known[0].reset_password(by=by(alice))
        assert listed(alice, bob) == (["C", "B"], [], ["A"])
        learn(known[0], bob)
        assert listed(alice, bob) == (["C", "A", "B"], [], [])

    def test_old_password_that_still_works_is_listed_until_it_ends(self, alice, bob, known):
        known[0].reset_password(by=by(alice), keep_old_for=timedelta(hours=1))
        assert listed(alice, bob) == (["C", "B"], ["A"], [])
        Credential.objects.update(previous_valid_until=timezone.now())
        assert listed(alice, bob) == (["C", "B"], [], ["A"])

    def test_old_password_that_the_person_never_saw_is_not_listed_as_known(self, alice, bob, known):
        known[0].reset_password(by=by(alice))
        known[0].reset_password(by=by(alice), keep_old_for=timedelta(hours=1))
        assert listed(alice, bob) == (["C", "B"], [], ["A"])

    def test_deleted_credential_is_not_listed_until_it_is_restored(self, alice, bob, known, domain):
        known[0].remove(by=by(alice))
        assert listed(alice, bob) == (["C", "B"], [], [])
        domain.deleted_credentials.get().restore(by=by(alice))
        assert listed(alice, bob).current == ["C", "A", "B"]

    def test_others_and_domains_of_others_are_not_listed(self, alice, bob, carol, known):
        learn(make_credential(make_domain("theirs.example.com", owner=carol), label="D"), bob)
        learn(known[0], alice)
        assert listed(alice, bob).current == ["C", "A", "B"]
        assert listed(alice, alice).current == ["A"]
        assert listed(carol, bob).current == ["D"]

    def test_page_names_label_username_domain_and_when_but_no_password(self, as_alice, bob, known):
        make_use(known[1])
        page = text(as_alice.get(url(bob)))
        for row in known:
            assert row.short_username in page
            assert f'href="{row.get_absolute_url()}"' in page
            assert password_of(row) not in page
        assert page.count("Showed it <time") == 3
        assert page.count('aria-label="Select ') == 3

    def test_list_stays_after_the_person_has_left_and_their_account_is_gone(self, as_alice, bob, known):
        as_alice.post(url(bob, "remove"))
        pk, bob.pk = bob.pk, None
        User.objects.filter(pk=pk).delete()
        bob.pk = pk
        page = text(as_alice.get(url(bob)))
        assert "bob@example.com" in page and page.count("Showed it") == 3

    def test_queries_do_not_grow(self, as_alice, alice, bob, known):
        counts = []
        known[0].reset_password(by=by(alice), keep_old_for=timedelta(hours=1))
        for number in (0, 30):
            for place in range(number):
                other = make_domain(f"d{place}.example.com", owner=alice)
                other.memberships.create(user=bob, role="manager")
                learn(row := make_credential(other), bob)
                if place % 2:
                    row.reset_password(by=by(alice), keep_old_for=timedelta(hours=1))
            with CaptureQueriesContext(connection) as queries:
                assert as_alice.get(url(bob)).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 13


class TestResetting:
    def test_question_lists_the_chosen_ones_and_needs_the_box_while_one_is_in_use(self, as_alice, bob, known):
        make_use(known[2])
        page = text(as_alice.get(url(bob, "reset"), usernames(known[1:]), headers=HTMX))
        assert "reset the passwords of these 2 SMTP users?" in page
        assert "shop.example.com" in page and known[0].short_username not in page and TICK in page
        before = state()
        answer = as_alice.post(url(bob, "reset"), usernames(known[1:]), headers=HTMX)
        assert (answer.status_code, answer["HX-Retarget"]) == (422, "#dialog")
        assert as_alice.post(url(bob, "reset"), usernames(known, keep="1y")).status_code == 422
        assert state() == before

    def test_chosen_ones_are_reset_with_an_event_each_and_a_letter_for_each_domain(self, as_alice, bob, known):
        more = make_credential(known[0].domain, label="kept")
        before = [password_of(row) for row in (*known, more)]
        answer = as_alice.post(url(bob, "reset"), usernames(known, keep="1h"))
        assert answer["Location"] == url(bob)
        after = [password_of(row) for row in (*known, more)]
        assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, False, True]
        events = Event.objects.filter(tag="credential.reset")
        assert {event.credential for event in events} == {row.username for row in known}
        assert {event.data["kept_for"] for event in events} == {"1 hour"}
        for row, old in zip(known, before, strict=False):
            for password in (old, password_of(row)):
                assert Credential.objects.authenticate(row.username, password).outcome == "accepted"
        assert sorted(letter.subject for letter in delivered()) == [
            "2 SMTP users reset for sl.example.com",
            "SMTP password reset for shop.example.com",
        ]
        page = text(as_alice.get(url(bob)))
        assert "3 SMTP passwords are reset. Each site needs its new password." in page
        assert "Old passwords they know that still work" in page
        assert not any(password in page for password in (*before, *after))

    def test_reset_at_once_ends_the_old_password(self, as_alice, bob, known):
        old = password_of(known[0])
        as_alice.post(url(bob, "reset"), usernames(known[:1]))
        assert Credential.objects.authenticate(known[0].username, old).outcome == "wrong_password"
        page = text(as_alice.get(url(bob)))
        assert "Reset since they knew the password" in page
        assert "1 SMTP password is reset." in page

    def test_one_that_was_reset_in_the_meantime_is_not_reset_again(self, as_alice, alice, bob, known):
        known[0].reset_password(by=by(alice))
        known[1].remove(by=by(alice))
        fresh = password_of(known[0])
        as_alice.post(url(bob, "reset"), usernames(known))
        assert password_of(known[0]) == fresh
        page = text(as_alice.get(url(bob)))
        assert "1 SMTP password is reset." in page
        assert "2 SMTP users were reset or deleted in the meantime, and not reset now." in page

    def test_only_what_the_person_knows_in_own_domains_is_reset(self, as_alice, alice, bob, carol, known):
        theirs = make_credential(make_domain("theirs.example.com", owner=carol))
        theirs.domain.memberships.create(user=alice, role="manager")
        learn(theirs, bob)
        unseen = make_credential(known[0].domain)
        before = [password_of(row) for row in (theirs, unseen)]
        for headers in ({}, HTMX):
            answer = as_alice.post(url(bob, "reset"), usernames([theirs, unseen]), headers=headers)
            assert url(bob) in (answer.headers.get("Location"), answer.headers.get("HX-Redirect"))
        assert [password_of(row) for row in (theirs, unseen)] == before
        assert "Select SMTP users first." in text(as_alice.get(url(bob)))

    def test_fault_half_way_leaves_all_passwords_as_they_were(self, as_alice, bob, known, monkeypatch):
        reset, calls = Credential.reset_password, []

        def fail_third(self, **kwargs):
            calls.append(self)
            if len(calls) == 3:
                raise RuntimeError("no more")
            return reset(self, **kwargs)

        before = state()
        monkeypatch.setattr(Credential, "reset_password", fail_third)
        with pytest.raises(RuntimeError):
            as_alice.post(url(bob, "reset"), usernames(known))
        assert len(calls) == 3
        assert state() == before

    def test_owner_who_lost_a_domain_in_the_meantime_resets_nothing_there(self, alice, bob, known):
        Domain.objects.get(name="shop.example.com").memberships.filter(user=alice).update(role="viewer")
        done = offboarding.reset(bob.pk, [row.username for row in known], by=by(alice))
        assert set(done) == {row.username for row in known[:2]}
