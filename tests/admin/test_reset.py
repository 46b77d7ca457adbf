"""Reset by support: a new password that no page of the admin shows, with a reason, an event and a letter."""

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential
from credentials.outcome import Outcome
from tests.factories import SYSTEM, make_credential, password_of
from tests.http import delivered, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
CREDENTIALS = "/admin/credentials/credential/"


def reset(client, *rows, reason="leaked in a ticket", **fields):
    fields |= {"action": "reset", "_selected_action": [row.pk for row in rows], "reason": reason}
    response = client.post(CREDENTIALS, fields)
    return [str(message) for message in get_messages(response.wsgi_request)]


def outcome(credential, password):
    return Credential.objects.authenticate(credential.username, password).outcome


def test_reset_makes_a_password_that_only_owners_see(as_sam, sam, credential, alice, client):
    old = password_of(credential)
    page = as_sam.post(CREDENTIALS, {"action": "reset", "_selected_action": credential.pk})
    assert "which the admin doesn&#x27;t show" in text(page) and 'name="keep"' in text(page)
    assert password_of(credential) == old
    assert reset(as_sam, credential) == ["1 reset."]
    new = password_of(credential)
    assert new != old
    assert (outcome(credential, old), outcome(credential, new)) == (Outcome.WRONG_PASSWORD, Outcome.ACCEPTED)
    for path in (CREDENTIALS, f"{CREDENTIALS}{credential.pk}/change/", "/admin/audit/event/"):
        assert new not in text(as_sam.get(path)) and old not in text(as_sam.get(path))
    event = Event.objects.get(tag="credential.reset")
    assert (event.actor, event.data) == (sam, {"reason": "leaked in a ticket"})
    (letter,) = delivered()
    assert letter.to == [alice.email] and "Support reset the password" in letter.body
    assert (
        "Reason: leaked in a ticket" in letter.body and new not in letter.body and sam.email not in letter.body
    )
    sign_in(client, alice)
    assert new in text(client.post(smtp_url(credential, "reveal")))


def test_reset_can_keep_the_old_password_for_a_grace_period(as_sam, credential):
    old = password_of(credential)
    assert reset(as_sam, credential, keep="24h") == ["1 reset."]
    assert outcome(credential, old) is Outcome.ACCEPTED
    credential.refresh_from_db()
    assert 23 < (credential.previous_valid_until - timezone.now()).total_seconds() / 3600 <= 24
    assert Event.objects.get(tag="credential.reset").data["kept_for"] == "24 hours"


@pytest.mark.parametrize("fields", [{"reason": " "}, {"keep": "99d"}, {"reason": "x" * 201}])
def test_reset_without_valid_answers_does_nothing(as_sam, credential, fields):
    old = password_of(credential)
    assert reset(as_sam, credential, **fields) == []
    assert password_of(credential) == old


def test_reset_keeps_a_suspension(as_sam, credential):
    credential.suspend(by=SYSTEM, as_support=True)
    assert reset(as_sam, credential) == ["1 reset."]
    assert outcome(credential, password_of(credential)) is Outcome.SUSPENDED


def test_password_reset_by_another_person_is_not_reset_again(as_sam, credential, monkeypatch):
    def other_first(row, **answers):
        Credential.objects.filter(pk=row.pk).update(password_changed_at=timezone.now())
        return original(row, **answers)

    original, old = Credential.reset_password, password_of(credential)
    monkeypatch.setattr(Credential, "reset_password", other_first)
    (message,) = reset(as_sam, credential)
    assert message == f"{credential} was reset by another person a moment ago."
    assert password_of(credential) == old


def test_view_permission_allows_no_reset(as_vera, domain):
    credential = make_credential(domain)
    old = password_of(credential)
    assert "Reset…" not in text(as_vera.get(f"{CREDENTIALS}{credential.pk}/change/"))
    reset(as_vera, credential)
    assert password_of(credential) == old
