"""Suspend and Resume by members of the domain, and what support staff alone may resume."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential, SuspendedBySupport
from credentials.models.retired import RetiredPassword
from credentials.outcome import Outcome
from tests.factories import SYSTEM, make_use, password_of
from tests.http import at_once, delivered, smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}


def outcome(credential):
    return Credential.objects.authenticate(credential.username, password_of(credential)).outcome


def acts(page):
    """Links to the part of its page that suspends and resumes."""
    return re.findall(r'[0-9A-F]{32}/#stop" aria-label="(Resume|Details)', page)


def test_suspend_refuses_logins_notifies_owners_and_offers_resume(as_alice, alice, credential):
    assert acts(text(as_alice.get(smtp_url(credential.domain)))) == []
    response = as_alice.post(smtp_url(credential, "suspend"), headers=HTMX)
    assert "SMTP user suspended." in text(response) and acts(text(response)) == ["Resume"]
    assert outcome(credential) is Outcome.SUSPENDED
    letter = delivered()[-1]
    assert (letter.to, letter.subject) == (["alice@example.com"], "SMTP user suspended for sl.example.com")
    assert "alice@example.com suspended" in letter.body and "From: 127.0.0.1" in letter.body
    event = Event.objects.latest("pk")
    assert (event.tag, event.actor) == ("credential.suspended", alice)


def test_suspend_sends_no_letter_to_owners_who_turned_it_off(as_alice, alice, credential):
    type(alice).objects.update(tell_credentials=False)
    as_alice.post(smtp_url(credential, "suspend"))
    assert delivered() == []


def test_resume_accepts_the_same_password_again(as_alice, credential):
    password = password_of(credential)
    credential.suspend(by=SYSTEM)
    assert RetiredPassword.objects.filter(username=credential.username).count() == 1
    response = as_alice.post(smtp_url(credential, "resume"), follow=True)
    assert "SMTP user resumed." in text(response) and acts(text(response)) == []
    assert outcome(credential) is Outcome.ACCEPTED and password_of(credential) == password
    assert not RetiredPassword.objects.filter(username=credential.username).exists()


def test_suspend_of_a_used_credential_needs_the_tick(as_alice, credential):
    make_use(credential)
    response = as_alice.post(smtp_url(credential, "suspend"), headers=HTMX)
    assert response.status_code == 422 and "<strong>In use:</strong>" in text(response)
    assert outcome(credential) is Outcome.ACCEPTED
    as_alice.post(smtp_url(credential, "suspend"), {"sure": "on"})
    assert outcome(credential) is Outcome.SUSPENDED


@pytest.mark.parametrize(("act", "words"), [("suspend", "already suspended"), ("resume", "is not suspended")])
def test_second_suspend_or_resume_reports_that_it_is_done_already(as_alice, credential, act, words):
    (credential.suspend if act == "suspend" else credential.resume)(by=SYSTEM)
    before = Event.objects.count()
    response = as_alice.post(smtp_url(credential, act), headers=HTMX)
    assert response.status_code == 409 and words in text(response)
    assert Event.objects.count() == before


def test_suspension_by_support_is_resumed_by_support_only(as_alice, credential):
    credential.suspend(by=SYSTEM, reason="phishing", as_support=True)
    page = text(as_alice.get(smtp_url(credential.domain)))
    assert re.search(
        r"Support suspended it on <time.*?</time>\. Only support can resume it\. "
        r"Contact support\.",
        page,
    )
    assert acts(page) == ["Details"]
    assert "Contact support." in text(as_alice.get(smtp_url(credential, "resume"), headers=HTMX))
    response = as_alice.post(smtp_url(credential, "resume"), headers=HTMX)
    assert response.status_code == 409
    assert "Support suspended this SMTP user, so only support can resume it. Contact support." in text(response)
    assert outcome(credential) is Outcome.SUSPENDED
    assert credential.resume(by=SYSTEM, as_support=True)
    assert outcome(credential) is Outcome.ACCEPTED


def test_support_takes_over_what_a_member_suspended(credential):
    credential.suspend(by=SYSTEM)
    since = Credential.objects.get().suspended_at
    assert [credential.suspend(by=SYSTEM, as_support=True) for _ in range(2)] == [True, False]
    with pytest.raises(SuspendedBySupport):
        Credential.objects.get().resume(by=SYSTEM)
    assert Credential.objects.get().suspended_at == since
    assert not Credential.objects.get().suspend(by=SYSTEM)
    assert Credential.objects.get().suspended_by_support


def test_suspend_by_support_notifies_owners_of_the_reason(credential):
    credential.suspend(by=SYSTEM, reason="phishing", as_support=True)
    body = delivered()[-1].body
    assert "Support suspended" in body and "Reason: phishing" in body and "Only support can resume it" in body


def test_grace_period_outlives_a_suspension(as_alice, credential):
    old = password_of(credential)
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
    credential.suspend(by=SYSTEM)
    assert "Old password is kept until" in text(as_alice.get(smtp_url(credential.domain)))
    credential.resume(by=SYSTEM)
    assert Credential.objects.authenticate(credential.username, old).outcome is Outcome.ACCEPTED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["suspend", "resume"])
def test_one_of_two_concurrent_suspends_wins(credential, act):
    if act == "resume":
        Credential.objects.update(suspended_at=timezone.now())
    others = [Credential.objects.get() for _ in range(2)]
    assert sorted(at_once(*(lambda each=each: getattr(each, act)(by=SYSTEM) for each in others))) == [
        False,
        True,
    ]
    assert Event.objects.filter(tag=f"credential.{act}{'d' if act == 'resume' else 'ed'}").count() == 1
