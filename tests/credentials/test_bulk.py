"""Suspend and Delete for several SMTP users: one question, all or none, an event each, one letter."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential
from credentials.models.deleted import DeletedCredential
from tests.factories import SYSTEM, make_credential, make_domain, make_use
from tests.http import delivered, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
TICK = "I understand that anything using them will stop sending."
ACTS = ["suspend", "delete"]


@pytest.fixture
def three(domain):
    return [make_credential(domain, label=label) for label in ("Shop", "Blog", "")]


def url(domain, act):
    return f"{smtp_url(domain)}chosen/{act}/"


def usernames(credentials, *more, **fields):
    return {"username": [*(each.username for each in credentials), *more], **fields}


def state():
    return list(Credential.objects.order_by("pk").values()), Event.objects.count()


@pytest.mark.parametrize("act", ACTS)
def test_bulk_act_asks_first_and_lists_all_selected(as_alice, domain, three, act):
    make_use(three[0])
    before = state()
    for headers in ({}, HTMX):
        page = text(as_alice.get(url(domain, act), usernames(three), headers=headers))
        assert f"Are you sure you want to {act} these 3 SMTP users?" in page
        assert all(each.short_username in page and each.label in page for each in three)
        assert "just now</time> from 203.0.113.7" in page and "Never used" in page
        assert TICK in page
    assert state() == before


def test_bulk_delete_says_how_many_hand_over_links_it_ends(as_alice, domain, three):
    page = text(as_alice.get(url(domain, "delete"), usernames(three)))
    assert "hand-over link" not in page
    for each in three[:2]:
        as_alice.post(smtp_url(each, "hand_over"), {"valid_for": "1h"})
    page = text(as_alice.get(url(domain, "delete"), usernames(three)))
    assert "2 hand-over links are open and will stop working." in page


@pytest.mark.parametrize("act", ACTS)
def test_bulk_act_needs_the_box_while_one_is_in_use(as_alice, domain, three, act):
    make_use(three[1])
    before = state()
    answer = as_alice.post(url(domain, act), usernames(three), headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (422, "#dialog")
    assert "Nothing was changed yet" in text(answer) and "Blog" in text(answer)
    assert state() == before
    assert as_alice.post(url(domain, act), usernames(three, sure="on"), headers=HTMX).status_code == 200


def test_bulk_delete_writes_an_event_each_one_letter_and_one_undo(as_alice, domain, three):
    kept = make_credential(domain)
    answer = text(as_alice.post(url(domain, "delete"), usernames(three), headers=HTMX))
    assert "3 SMTP users deleted." in answer
    assert all(f'name="username" value="{each.username}">' in answer for each in three)
    assert list(domain.credentials.all()) == [kept]
    assert Event.objects.filter(tag="credential.deleted").count() == 3
    (letter,) = delivered()
    assert letter.subject == "3 SMTP users deleted for sl.example.com"
    assert all(each.username in letter.body for each in three)


def test_undo_of_a_bulk_delete_restores_all_with_one_letter(as_alice, domain, three):
    as_alice.post(url(domain, "delete"), usernames(three))
    answer = text(as_alice.post(f"{smtp_url(domain)}deleted/restore/", usernames(three), headers=HTMX))
    assert "3 SMTP users restored." in answer
    assert domain.credentials.count() == 3
    assert [letter.subject for letter in delivered()][1:] == ["3 SMTP users restored for sl.example.com"]


def test_bulk_suspend_reports_those_already_suspended(as_alice, domain, three):
    three[0].suspend(by=SYSTEM)
    answer = text(as_alice.post(url(domain, "suspend"), usernames(three), headers=HTMX))
    assert "2 SMTP users suspended, 1 was already suspended." in answer
    assert not domain.credentials.filter(suspended_at=None).exists()
    assert Event.objects.filter(tag="credential.suspended").count() == 3


def test_bulk_act_reports_gone_and_foreign_credentials_alike(as_alice, domain, three):
    theirs = make_credential(make_domain("other.example.com"))
    gone = three.pop()
    Credential.objects.get(pk=gone.pk).remove(by=SYSTEM)
    answer = text(as_alice.post(url(domain, "delete"), usernames([*three, gone, theirs]), headers=HTMX))
    assert "2 SMTP users deleted, 2 were already gone." in answer
    assert list(Credential.objects.all()) == [theirs]


def test_bulk_act_on_one_is_worded_in_the_singular(as_alice, domain, three):
    page = text(as_alice.get(url(domain, "delete"), usernames(three[:1])))
    assert "Are you sure you want to delete this SMTP user?" in page
    answer = text(as_alice.post(url(domain, "delete"), usernames(three[:1]), headers=HTMX))
    assert "SMTP user is deleted." in answer
    assert [letter.subject for letter in delivered()] == ["SMTP user deleted for sl.example.com"]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("named", [[], ["x"], ["a\x00b"], [f"{number:032X}" for number in range(26)]], ids=len)
def test_bulk_act_refuses_an_empty_or_too_large_selection(as_alice, domain, three, act, named):
    before = state()
    for method in (as_alice.get, as_alice.post):
        assert method(url(domain, act), {"username": named}, headers=HTMX).status_code == 422
        assert "Select" in text(method(url(domain, act), {"username": named}, follow=True))
    assert state() == before


@pytest.mark.parametrize("act", ACTS)
def test_bulk_act_reports_that_all_are_gone(as_alice, domain, three, act):
    for each in three:
        Credential.objects.get(pk=each.pk).remove(by=SYSTEM)
    for method in (as_alice.get, as_alice.post):
        answer = method(url(domain, act), usernames(three), headers=HTMX)
        assert answer.status_code == 404 and "no longer exist" in text(answer)


def test_bulk_act_changes_all_or_none(as_alice, domain, three, monkeypatch):
    before, create = state(), Event.objects.create

    def refuse_the_third(**fields):
        return 1 / 0 if Event.objects.filter(tag="credential.deleted").count() == 2 else create(**fields)

    monkeypatch.setattr(Event.objects, "create", refuse_the_third)
    with pytest.raises(ZeroDivisionError):
        as_alice.post(url(domain, "delete"), usernames(three))
    assert state() == before and not DeletedCredential.objects.exists() and not delivered()


@pytest.mark.parametrize("act", ACTS)
def test_bulk_act_requires_a_recent_sign_in(client, alice, domain, three, act):
    sign_in(client, alice, ago=timedelta(hours=1))
    before = state()
    assert client.get(url(domain, act), usernames(three), headers=HTMX).status_code == 401
    assert client.post(url(domain, act), usernames(three), headers=HTMX).status_code == 401
    assert state() == before


def test_only_managers_see_the_checkboxes(client, bob, domain, three):
    client.force_login(bob)
    page = text(client.get(smtp_url(domain)))
    assert 'class="pick"' not in page and 'id="chosen"' not in page
    domain.memberships.filter(user=bob).update(role="manager")
    page = text(client.get(smtp_url(domain)))
    assert page.count('class="pick"') == 3 and 'id="chosen"' in page


def test_bulk_act_on_long_unused_credentials_needs_no_box(as_alice, domain, three):
    Credential.objects.update(last_used_at=timezone.now() - timedelta(hours=25))
    assert TICK not in text(as_alice.get(url(domain, "delete"), usernames(three)))
