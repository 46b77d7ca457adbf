"""The Activity page and the sentences of events."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.actor import Actor
from audit.models import Event
from domains.activity.filters import TAGS
from domains.activity.sentences import SENTENCES, sentence
from domains.members import actions as members
from tests.factories import SYSTEM, make_credential, make_domain, password_of
from tests.http import sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
URL = "/domains/sl.example.com/activity/"


def test_page_shows_who_did_what_when_and_from_where(as_alice, domain):
    credential = make_credential(domain, label="Newsletter")
    as_alice.post(smtp_url(credential, "copy"), headers={"User-Agent": "Firefox <x>", "Accept": "text/plain"})
    page = text(as_alice.get(URL))
    assert "<b>alice@example.com</b> copied the password of" in page
    assert (
        f' title="{credential.username}"><code>{credential.username[:8]}…</code></a> <bdi>Newsletter</bdi>'
        in page
    )
    assert '<span title="Firefox &lt;x&gt;">127.0.0.1</span>' in page
    assert f"{timezone.now():%Y}" in page
    assert password_of(credential) not in page


def test_page_keeps_events_of_a_deleted_credential(as_alice, credential):
    username = credential.username
    as_alice.post(smtp_url(credential, "delete"))
    assert username in text(as_alice.get(URL))


def test_page_omits_events_of_other_domains(as_alice, domain):
    make_credential(make_domain("other.example.com"))
    assert "added the SMTP user" not in text(as_alice.get(URL))


@pytest.mark.parametrize("count", [5, 50, 120])
def test_number_of_queries_does_not_depend_on_events(as_alice, domain, count, django_assert_num_queries):
    for _ in range(count):
        Event.objects.create(tag="credential.created", actor_name="x", domain=domain, credential="A" * 32)
    for query in ({}, {"person": "server", "kind": "smtp", "credential": "AAAAAAAA"}):
        with django_assert_num_queries(6):
            assert as_alice.get(URL, query).status_code == 200


class TestFilters:
    @pytest.fixture
    def acts(self, domain, alice, bob):
        """Bob copies two passwords and resets one; Alice invites somebody and labels one."""
        shop, blog = (make_credential(domain, label=label) for label in ("Shop", "Blog"))
        by_bob, by_alice = Actor(bob.email, bob), Actor(alice.email, alice)
        for row in (shop, blog):
            row.reveal("credential.password_copied", by=by_bob)
        blog.reset_password(by=by_bob)
        shop.rename("Store", by=by_alice)
        members.invite([domain], ["new@example.org"], "viewer", by=by_alice)
        return shop, blog

    def found(self, client, **query):
        """What the page says that people did, without names of SMTP users."""
        page = text(client.get(URL, query))
        acts = re.findall(r'<th scope="row"><b>(\w+)[^<]*</b> (\w+)', page)
        assert f"{len(acts)} event" in page
        return [" ".join(act) for act in acts]

    def test_by_person(self, as_alice, bob, acts):
        assert self.found(as_alice, person=bob.pk) == ["bob reset", "bob copied", "bob copied"]
        assert self.found(as_alice, person="server") == ["tests added", "tests added"]

    def test_by_kind(self, as_alice, acts):
        assert self.found(as_alice, kind="passwords") == ["bob copied", "bob copied"]
        assert self.found(as_alice, kind="members") == ["alice invited"]
        assert self.found(as_alice, kind="smtp") == [
            "alice labelled",
            "bob reset",
            "tests added",
            "tests added",
        ]
        assert self.found(as_alice, kind="domain") == ["alice added"]

    def test_by_smtp_user(self, as_alice, acts):
        shop, _blog = acts
        for form in (
            shop.username,
            shop.username[:9].lower(),
            shop.short_username,
            f"{shop.username[:8]}…",
            "stor",
        ):
            assert self.found(as_alice, credential=form) == ["alice labelled", "bob copied", "tests added"]

    def test_together(self, as_alice, bob, acts):
        query = {"person": bob.pk, "kind": "passwords", "credential": "blog"}
        assert self.found(as_alice, **query) == ["bob copied"]

    def test_nothing_found_offers_to_clear_filters(self, as_alice, bob, acts):
        page = text(as_alice.get(URL, {"person": bob.pk, "kind": "domain"}))
        assert "No event matches these filters" in page
        assert f'<a href="{URL}">Clear filters</a>' in page

    def test_filters_are_kept_by_paging_export_and_form(self, as_alice, bob, acts):
        for _ in range(60):
            acts[0].reveal("credential.password_shown", by=Actor(bob.email, bob))
        query = {"person": bob.pk, "kind": "passwords", "credential": "store"}
        page = text(as_alice.get(URL, query))
        kept = f"person={bob.pk}&amp;credential=store&amp;kind=passwords"
        assert f'href="?{kept}&amp;page=2"' in page
        assert f'href="{URL}export/?{kept}"' in page
        assert f'<option value="{bob.pk}" selected>bob@example.com</option>' in page
        assert 'value="store"' in page
        second = text(as_alice.get(URL, query | {"page": 2}))
        assert "61 events match." in second and second.count('<th scope="row">') == 11

    def test_export_has_the_same_events(self, as_alice, bob, acts):
        lines = b"".join(as_alice.get(f"{URL}export/", {"person": bob.pk})).decode().splitlines()
        assert len(lines) == 4
        assert all("bob@example.com" in line for line in lines[1:])

    def test_htmx_gets_the_events_alone_and_a_short_address(self, as_alice, bob, acts):
        query = {"person": bob.pk, "kind": "", "credential": ""}
        answer = as_alice.get(URL, query, headers={"HX-Request": "true"})
        assert answer["HX-Replace-Url"] == f"{URL}?person={bob.pk}"
        assert text(answer).startswith('<div id="events">')
        assert as_alice.get(URL, headers={"HX-Request": "true"})["HX-Replace-Url"] == URL

    def test_people_who_left_can_be_chosen_and_others_are_not_named(self, as_alice, domain, bob, carol, acts):
        domain.memberships.filter(user=bob).delete()
        make_credential(make_domain("other.example.com", owner=carol))
        page = text(as_alice.get(URL))
        assert ">bob@example.com</option>" in page and "carol" not in page
        assert "Someone who did nothing here" in text(as_alice.get(URL, {"person": carol.pk}))

    def test_owners_alone_are_led_to_the_passwords_that_a_person_knows(self, as_alice, alice, bob, acts):
        link = f"/domains/sl.example.com/settings/members/offboarding/{bob.pk}/"
        assert link in text(as_alice.get(URL, {"person": bob.pk}))
        assert link not in text(as_alice.get(URL))
        assert link not in text(sign_in(Client(), bob).get(URL, {"person": bob.pk}))

    @pytest.mark.parametrize("person", ["0", "-1", "1 or 1", "9" * 18, "9" * 40, "bob@example.com", "\x00"])
    def test_strange_values_do_no_harm(self, as_alice, acts, person):
        query = {"person": person, "kind": "<b>", "credential": "%_\x00'" + "Z" * 500, "page": "-3"}
        assert as_alice.get(URL, query).status_code == 200
        assert as_alice.get(f"{URL}export/", query).status_code == 200

    def test_every_event_is_of_one_kind(self):
        assert sorted(tag for tags in TAGS.values() for tag in tags) == sorted(SENTENCES)


def test_event_leads_to_the_page_of_its_smtp_user(as_alice, credential):
    assert f'<a href="{credential.get_absolute_url()}" title=' in text(as_alice.get(URL))


def test_older_events_are_on_later_pages(as_alice, domain):
    for number in range(60):
        Event.objects.create(tag="domain.added", actor_name=f"person{number:02}", domain=domain)
    first, second = text(as_alice.get(URL)), text(as_alice.get(URL, {"page": "2"}))
    assert "person59" in first
    assert "person05" not in first
    assert "person05" in second


def test_every_act_has_a_sentence(credential, domain):
    credential.reveal("credential.password_shown", by=SYSTEM)
    credential.reset_password(by=SYSTEM)
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(days=7))
    credential.revoke_old_password(by=SYSTEM)
    credential.set_expiry(timezone.localdate(), by=SYSTEM)
    credential.extend(by=SYSTEM)
    credential.rename("x", by=SYSTEM)
    credential.suspend(by=SYSTEM)
    credential.resume(by=SYSTEM)
    credential.remove(by=SYSTEM)
    assert set(Event.objects.values_list("tag", flat=True)) <= set(SENTENCES)
    assert "kept the old one working for 7 days" in str([sentence(event) for event in Event.objects.all()])


@pytest.mark.one_database
@pytest.mark.parametrize("data", [{}, {"label": "<b>{0}%s"}, {"label": ["x"]}, {"to": None, "member": "<i>"}])
@pytest.mark.parametrize("tag", [*SENTENCES, "unknown.<b>"])
def test_sentence_escapes_any_event_data(tag, data):
    html = str(sentence(Event(tag=tag, credential="A" * 32, data=data)))
    assert "<b>" not in html
    assert "<i>" not in html


def test_actor_fits_its_columns(rf, alice):
    request = rf.get("/", headers={"User-Agent": "a\x00" + "x" * 5000})
    request.user = alice
    actor = Actor.of(request)
    assert len(actor.user_agent) == 200
    assert "\x00" not in actor.user_agent
