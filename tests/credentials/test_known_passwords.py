"""Offboarding: the passwords that a person knows are listed, exactly, and can be reset together."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from credentials import offboarding
from credentials.models import Credential
from domains.models import Domain
from tests.credentials.leaving import HTMX, by, learn, state, url, usernames
from tests.factories import make_credential, make_domain, make_use, password_of
from tests.http import delivered, text

pytestmark = pytest.mark.django_db
TICK = "I understand that anything using them will stop sending."


def listed(owner, person) -> offboarding.Passwords:
    """The labels of each part of the list."""
    known = offboarding.known_by(person.pk, owner)
    return offboarding.Passwords(*([item.credential.label for item in part] for part in known))


class TestList:
    @pytest.mark.parametrize(
        "how", ["credential.password_shown", "credential.password_copied", "credential.handed_over"]
    )
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
