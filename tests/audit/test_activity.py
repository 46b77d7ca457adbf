"""The Activity page and the sentences of events."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actor import Actor
from audit.models import Event
from domains.activity.sentences import SENTENCES, sentence
from tests.factories import SYSTEM, make_credential, make_domain, password_of
from tests.http import smtp_url, text

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
    with django_assert_num_queries(5):
        assert as_alice.get(URL).status_code == 200


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
