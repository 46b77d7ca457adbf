"""Suspend, resume, delete, authorize: the page that asks for a reason, the act, its event and message."""

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential
from credentials.outcome import Outcome
from domains.models import Domain
from tests.factories import SYSTEM, make_credential, make_domain, make_user

pytestmark = pytest.mark.django_db

CREDENTIALS = "/admin/credentials/credential/"
DOMAINS = "/admin/domains/domain/"


def post(client, path, act, *rows, **fields):
    return client.post(path, {"action": act, "_selected_action": [row.pk for row in rows], **fields})


def messages_of(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


@pytest.mark.parametrize("act", ["suspend", "resume", "remove"])
def test_act_asks_for_reason_and_lists_its_rows(as_sam, domain, act):
    rows = [make_credential(domain, label="Shop"), make_credential(domain)]
    page = post(as_sam, CREDENTIALS, act, *rows).content.decode()
    assert 'name="reason"' in page and "“Shop”" in page
    assert all(row.username in page for row in rows)
    assert Credential.objects.filter(suspended_at=None).count() == 2
    assert not Event.objects.exclude(tag="credential.created").exclude(tag="domain.added").exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "a\u202eb", "a\x00b"])
def test_act_without_valid_reason_does_nothing(as_sam, credential, reason):
    response = post(as_sam, CREDENTIALS, "suspend", credential, reason=reason)
    assert response.status_code == 200
    assert response.context["form"].errors["reason"]
    assert 'class="errorlist"' in response.content.decode()
    credential.refresh_from_db()
    assert credential.suspended_at is None


def test_suspend_and_resume_keep_the_reason_in_the_event(as_sam, sam, credential):
    for act, tag in (("suspend", "credential.suspended"), ("resume", "credential.resumed")):
        response = post(as_sam, CREDENTIALS, act, credential, reason=" phishing <b> ")
        assert (response.status_code, response.url) == (302, CREDENTIALS)
        event = Event.objects.get(tag=tag)
        assert (event.actor, event.credential) == (sam, credential.username)
        assert event.data == {"reason": "phishing <b>"}
        assert event.ip == "127.0.0.1"


def test_support_can_take_over_a_members_suspension(as_sam, credential):
    credential.suspend(by=SYSTEM)
    page = as_sam.get(f"{CREDENTIALS}{credential.pk}/change/").content.decode()
    assert "A member of the domain" in page and 'value="suspend"' in page
    assert messages_of(post(as_sam, CREDENTIALS, "suspend", credential, reason="abuse")) == ["1 suspended."]
    assert Credential.objects.get().suspended_by_support
    page = as_sam.get(f"{CREDENTIALS}{credential.pk}/change/").content.decode()
    assert '<div class="readonly">Support</div>' in page and 'value="suspend"' not in page
    assert messages_of(post(as_sam, CREDENTIALS, "resume", credential, reason="solved")) == ["1 resumed."]


def test_delete_removes_the_row_and_keeps_its_event(as_sam, credential):
    response = post(as_sam, CREDENTIALS, "remove", credential, reason="asked by owner")
    assert messages_of(response) == ["1 deleted."]
    assert not Credential.objects.exists()
    assert Event.objects.get(tag="credential.deleted").data["reason"] == "asked by owner"


def test_message_counts_done_unchanged_and_missing_rows(as_sam, domain):
    rows = [make_credential(domain) for _ in range(4)]
    rows[2].suspend(by=SYSTEM, as_support=True)
    gone = Credential.objects.get(pk=rows[3].pk)
    rows[3].remove(by=SYSTEM)
    response = post(as_sam, CREDENTIALS, "suspend", *rows[:3], gone, reason="abuse")
    assert messages_of(response) == ["2 suspended, 1 was already suspended, 1 was already gone."]


def test_rows_deleted_during_an_act_are_counted_as_gone(as_sam, credential, monkeypatch):
    def gone_first(row, *, by, reason, as_support):
        Credential.objects.filter(pk=row.pk).delete()
        return False

    monkeypatch.setattr(Credential, "suspend", gone_first)
    assert messages_of(post(as_sam, CREDENTIALS, "suspend", credential, reason="abuse")) == [
        "1 was already gone."
    ]


def test_act_on_missing_rows_only_asks_nothing(as_sam, credential):
    gone = Credential.objects.get(pk=credential.pk)
    credential.remove(by=SYSTEM)
    response = post(as_sam, CREDENTIALS, "remove", gone)
    assert response.status_code == 302
    assert messages_of(response) == ["1 was already gone."]


def test_act_returns_to_the_filtered_list(as_sam, credential):
    asked = post(as_sam, f"{CREDENTIALS}?state=accepted&q=e%26", "suspend", credential)
    assert asked.status_code == 302  # the search finds no such row: it is gone for this list
    asked = post(as_sam, f"{CREDENTIALS}?state=accepted", "suspend", credential)
    assert asked.context["filters"] == "state=accepted"
    response = post(
        as_sam, CREDENTIALS, "suspend", credential, reason="abuse", filters="state=accepted&q=a%0d%0ab"
    )
    assert response.url == f"{CREDENTIALS}?state=accepted&q=a%0D%0Ab"


def test_act_takes_at_most_a_hundred_rows(as_sam, domain, monkeypatch):
    monkeypatch.setattr("audit.support.MAX_AT_ONCE", 2)
    rows = [make_credential(domain) for _ in range(3)]
    response = post(as_sam, CREDENTIALS, "remove", rows[0], select_across="1", reason="tidy")
    assert messages_of(response) == ["Select at most 2 at once."]
    assert domain.credentials.count() == 3


@pytest.mark.parametrize("pk", ["abc", "-1", "9" * 30, "\x00", "١"])
def test_invalid_row_id_is_a_bad_request(as_sam, credential, pk):
    answer = as_sam.post(CREDENTIALS, {"action": "suspend", "_selected_action": [pk], "reason": "x"})
    assert answer.status_code == 400


def test_view_permission_allows_no_act(as_vera, credential):
    assert "Suspend…" not in as_vera.get(f"{CREDENTIALS}{credential.pk}/change/").content.decode()
    assert 'name="action"' not in as_vera.get(CREDENTIALS).content.decode()
    for act in ("suspend", "remove", "delete_selected"):
        post(as_vera, CREDENTIALS, act, credential, reason="because")
    post(as_vera, DOMAINS, "authorize", make_domain("other.example", authorized=False), reason="because")
    credential.refresh_from_db()
    assert credential.suspended_at is None
    assert not Domain.objects.get(name="other.example").authorized_at


@pytest.mark.parametrize("model", ["credentials/credential", "domains/domain", "audit/event", "accounts/user"])
def test_djangos_deletion_is_disabled_even_for_superusers(as_root, credential, model):
    row = {"cr": credential, "do": credential.domain, "au": Event.objects.first()}.get(model[:2], make_user())
    path = f"/admin/{model}/"
    assert "delete_selected" not in as_root.get(path).content.decode()
    assert f"{row.pk}/delete/" not in as_root.get(f"{path}{row.pk}/change/").content.decode()
    assert as_root.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    post(as_root, path, "delete_selected", row, post="yes")
    assert type(row).objects.filter(pk=row.pk).exists()


def test_credential_can_not_be_added_or_edited(as_root, credential):
    change = f"{CREDENTIALS}{credential.pk}/change/"
    assert as_root.get(f"{CREDENTIALS}add/").status_code == 403
    assert as_root.post(change, {"label": "mine", "verifier": "x", "_save": "Save"}).status_code == 403
    page = as_root.get(change).content.decode()
    assert 'name="_save"' not in page and "Suspend…" in page and "Resume…" not in page
    credential.suspend(by=SYSTEM, as_support=True)
    page = as_root.get(change).content.decode()
    assert "Suspend…" not in page and "Resume…" in page and "Delete…" in page


def test_authorize_lets_domains_send_and_issues_their_first_credential(as_sam):
    new, old = make_domain("new.example", authorized=False), make_domain("old.example")
    other = make_domain("old.example", owner=make_user("x@example.com"), authorized=False)
    assert "new.example, pending" in post(as_sam, DOMAINS, "authorize", new).content.decode()
    response = post(as_sam, DOMAINS, "authorize", new, old, other, reason="paid by invoice")
    assert messages_of(response) == [
        "1 authorized, 1 was already authorized, old.example is authorized in another account."
    ]
    assert [new.credentials.count(), old.credentials.count(), other.credentials.count()] == [1, 0, 0]
    assert Event.objects.get(tag="domain.authorized").data == {"reason": "paid by invoice"}


def test_suspended_domain_sends_nothing_until_resumed(as_sam, credential):
    domain = credential.domain
    page = as_sam.get(f"{DOMAINS}{domain.pk}/change/").content.decode()
    assert "Suspend…" in page and "Resume…" not in page and "Authorize…" not in page
    for act, done, outcome in (
        ("suspend", "suspended", Outcome.DOMAIN_SUSPENDED),
        ("resume", "resumed", Outcome.ACCEPTED),
    ):
        assert "sl.example.com" in post(as_sam, DOMAINS, act, domain).content.decode()
        assert messages_of(post(as_sam, DOMAINS, act, domain, reason="spam")) == [f"1 {done}."]
        assert Event.objects.get(tag=f"domain.{done}").data == {"reason": "spam"}
        assert Credential.objects.get(pk=credential.pk).outcome(timezone.now()) is outcome


def test_form_field_is_not_taken_as_reason_of_an_act(as_sam, domain):
    page = as_sam.get(f"{DOMAINS}{domain.pk}/change/").content.decode()
    acts = page[page.rindex("<form") :]
    assert 'value="suspend"' in acts and 'name="reason"' not in acts
