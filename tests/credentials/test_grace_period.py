"""Reset with a grace period: the question, the row, and the end of the period."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential, PasswordChanged
from credentials.outcome import Outcome
from tests.factories import SYSTEM, make_use, password_of
from tests.http import at_once, delivered, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def outcome(credential, password):
    return Credential.objects.authenticate(credential.username, password).outcome


def plain(markup):
    return " ".join(re.sub(r"<[^>]*>", "", str(markup)).split())


def row(client, credential):
    return plain(text(client.get(smtp_url(credential.domain))))


@pytest.fixture
def rotated(credential):
    """A credential whose old password works for a day more; `rotated.old` is that."""
    old = password_of(credential)
    credential.reset_password(by=SYSTEM, keep_old_for=DAY)
    credential.old = old
    return credential


def test_reset_offers_grace_periods_and_none_by_default(as_alice, credential):
    page = text(as_alice.get(smtp_url(credential, "reset"), headers=HTMX))
    assert re.findall(r'name="keep" value="(.*?)"( checked)?> (.*?)<', page) == [
        ("", " checked", "now"),
        ("1h", "", "in 1 hour"),
        ("24h", "", "in 24 hours"),
        ("7d", "", "in 7 days"),
    ]
    assert (
        "Old password stops:" in page and "Are you sure you want to reset password for this SMTP user?" in page
    )


@pytest.mark.parametrize(("keep", "time"), [("1h", HOUR), ("24h", DAY), ("7d", 7 * DAY)])
def test_both_passwords_are_accepted_during_the_grace_period(as_alice, credential, keep, time):
    old, seen = password_of(credential), credential.password_changed_at.isoformat()
    as_alice.post(smtp_url(credential, "reset"), {"seen": seen, "keep": keep})
    credential.refresh_from_db()
    assert credential.previous_valid_until - credential.password_changed_at == time
    assert outcome(credential, old) is outcome(credential, password_of(credential)) is Outcome.ACCEPTED
    until = credential.previous_valid_until
    assert "the old one works until" in delivered()[-1].body and f"{until:%b}" in delivered()[-1].body
    Credential.objects.update(previous_valid_until=timezone.now())
    assert outcome(credential, old) is Outcome.WRONG_PASSWORD
    assert "Old password" not in row(as_alice, credential)


@pytest.mark.parametrize(("keep", "status"), [("", 422), ("24h", 200)])
def test_reset_with_a_grace_period_needs_no_tick(as_alice, credential, keep, status):
    make_use(credential)
    fields = {"seen": credential.password_changed_at.isoformat(), "keep": keep}
    assert as_alice.post(smtp_url(credential, "reset"), fields, headers=HTMX).status_code == status
    assert Event.objects.filter(tag="credential.reset").exists() == (status == 200)


@pytest.mark.parametrize("keep", ["2h", "\x00", "x" * 5000, "1h\n"])
def test_unknown_grace_period_changes_nothing(as_alice, credential, keep):
    response = as_alice.post(smtp_url(credential, "reset"), {"keep": keep}, headers=HTMX)
    assert response.status_code == 422 and "Choose one of these periods." in text(response)
    assert not Event.objects.filter(tag="credential.reset").exists()


def test_row_says_that_both_work_and_leads_to_who_uses_which(as_alice, rotated):
    page = text(as_alice.get(smtp_url(rotated.domain)))
    assert re.search(r"Old password works until \w+ \d+, \d+, \d\d:\d\d UTC\.", plain(page))
    assert f'href="{rotated.username}/#rotation"' in page


def test_revoke_refuses_the_old_password_at_once_and_keeps_the_new_one(as_alice, alice, rotated):
    asked = text(as_alice.get(smtp_url(rotated, "revoke_old"), headers=HTMX))
    assert "Are you sure you want to revoke the old password before" in asked and rotated.old not in asked
    seen = re.search(r'name="seen" value="([^"]+)"', asked)[1]
    response = as_alice.post(smtp_url(rotated, "revoke_old"), {"seen": seen}, headers=HTMX)
    assert "Old password revoked." in text(response) and "works until" not in text(response)
    assert outcome(rotated, rotated.old) is Outcome.WRONG_PASSWORD
    assert outcome(rotated, password_of(rotated)) is Outcome.ACCEPTED
    assert Event.objects.latest("pk").tag == "credential.old_password_revoked"
    assert as_alice.post(smtp_url(rotated, "revoke_old"), {"seen": seen}, headers=HTMX).status_code == 409


def test_revoke_of_a_used_old_password_needs_the_tick(as_alice, rotated):
    make_use(rotated, "203.0.113.7", is_previous=True)
    fields = {"seen": rotated.password_changed_at.isoformat()}
    response = as_alice.post(smtp_url(rotated, "revoke_old"), fields, headers=HTMX)
    assert response.status_code == 422
    assert "In use: the old password was last used just now from 203.0.113.7." in plain(text(response))
    assert outcome(rotated, rotated.old) is Outcome.ACCEPTED
    as_alice.post(smtp_url(rotated, "revoke_old"), fields | {"sure": "on"})
    assert outcome(rotated, rotated.old) is Outcome.WRONG_PASSWORD


def test_revoke_in_an_old_tab_leaves_the_password_of_a_later_reset_alone(as_alice, rotated):
    seen, second = rotated.password_changed_at.isoformat(), password_of(rotated)
    rotated.reset_password(by=SYSTEM, keep_old_for=DAY)
    response = as_alice.post(smtp_url(rotated, "revoke_old"), {"seen": seen}, headers=HTMX)
    assert response.status_code == 409 and "Nothing was revoked" in text(response)
    assert outcome(rotated, second) is Outcome.ACCEPTED


def test_a_second_reset_warns_that_the_earlier_password_stops(as_alice, rotated):
    second, seen = password_of(rotated), rotated.password_changed_at.isoformat()
    assert "An older password still works until" in plain(text(as_alice.get(smtp_url(rotated, "reset"))))
    make_use(rotated, is_previous=True)
    fields = {"seen": seen, "keep": "1h"}
    # What uses the earlier one does stop.
    assert as_alice.post(smtp_url(rotated, "reset"), fields).status_code == 422
    as_alice.post(smtp_url(rotated, "reset"), fields | {"sure": "on"})
    assert outcome(rotated, rotated.old) is Outcome.WRONG_PASSWORD
    assert outcome(rotated, second) is Outcome.ACCEPTED


def test_viewer_sees_the_grace_period_without_a_link(client, bob, rotated):
    client.force_login(bob)
    page = text(client.get(smtp_url(rotated, "page")))
    assert "Two passwords work until" in page and "revoke-old" not in page


@pytest.mark.parametrize("act", ["revoke_old", "suspend", "resume", "reset"])
def test_revoke_requires_a_recent_sign_in(client, alice, rotated, act):
    sign_in(client, alice, ago=timedelta(hours=1))
    before = Credential.objects.values().get()
    assert client.post(smtp_url(rotated, act), headers=HTMX).status_code == 401
    assert Credential.objects.values().get() == before


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_revocations_wins(rotated):
    others = [Credential.objects.get(pk=rotated.pk) for _ in range(2)]
    results = at_once(*(lambda each=each: each.revoke_old_password(by=SYSTEM) for each in others))
    assert sorted(results) == [False, True]
    assert Event.objects.filter(tag="credential.old_password_revoked").count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_reset_and_revocation_keep_the_current_password(rotated):
    present, seen = password_of(rotated), rotated.password_changed_at

    def revoke():
        try:
            return Credential.objects.get(pk=rotated.pk).revoke_old_password(by=SYSTEM, seen=seen)
        except PasswordChanged:
            return False

    other = Credential.objects.get(pk=rotated.pk)
    at_once(revoke, lambda: other.reset_password(by=SYSTEM, keep_old_for=DAY))
    assert outcome(rotated, rotated.old) is Outcome.WRONG_PASSWORD
    assert outcome(rotated, present) is Outcome.ACCEPTED
