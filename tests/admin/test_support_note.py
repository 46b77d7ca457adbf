"""What support writes down for support alone: in the event and the admin, on no page or letter of members."""

import json

import pytest
from django.test import Client

from audit.actor import public_data
from audit.export import export_lines
from audit.models import Event
from tests.admin.test_acts import CREDENTIALS, DOMAINS, post
from tests.audit.tampering import verify
from tests.factories import make_user
from tests.http import delivered, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
REASON, NOTE = "Phishing was reported", "Ticket 4711, customer is on the phone"
HOME = "/domains/sl.example.com/"
PAGES = (
    "",
    "activity/",
    "activity/export/",
    "settings/",
    "settings/dns/",
    "settings/smtp/",
    "settings/members/",
)


def hidden_from_members(client) -> bool:
    """Whether no page, CSV file or letter of the domain's members has the note."""
    pages = [client.get(HOME + path) for path in PAGES]
    assert all(page.status_code == 200 for page in pages)
    bodies = [b"".join(page) if page.streaming else page.content for page in pages]
    bodies += [letter.message().as_bytes() for letter in delivered()]
    return not any(b"4711" in body or b"support_note" in body for body in bodies)


@pytest.mark.parametrize(
    ("act", "tag", "readers"),
    [
        ("suspend", "domain.suspended", "on its pages and in Activity, and owners in their letter."),
        ("authorize", "domain.authorized", "Members of the domain read this reason in Activity."),
    ],
)
def test_form_of_domain_says_who_reads_what_and_keeps_the_note(
    as_sam, alice, domain, credential, act, tag, readers
):
    if act == "authorize":
        type(domain).objects.update(authorized_at=None)
    form = text(post(as_sam, DOMAINS, act, domain))
    assert readers in form and "Only support reads it, in the event." in form
    post(as_sam, DOMAINS, act, domain, reason=REASON, note=NOTE)
    event = Event.objects.get(tag=tag)
    assert event.data == {"reason": REASON, "support_note": NOTE}
    assert public_data(event.data) == {"reason": REASON}
    assert verify().faults == []
    member = sign_in(Client(), alice)
    assert REASON in text(member.get(f"{HOME}activity/")) and hidden_from_members(member)


@pytest.mark.parametrize(
    ("act", "readers"),
    [
        ("suspend", "Members of the domain read this reason in Activity, and owners in their letter."),
        ("remove", "Members of the domain read this reason in Activity."),
    ],
)
def test_form_of_credential_says_who_reads_what(as_sam, alice, credential, act, readers):
    assert readers in text(post(as_sam, CREDENTIALS, act, credential))
    post(as_sam, CREDENTIALS, act, credential, reason=REASON, note=NOTE)
    assert Event.objects.latest("pk").data["support_note"] == NOTE
    member = sign_in(Client(), alice)
    assert hidden_from_members(member)
    if act == "suspend":
        assert b"4711" not in member.get(smtp_url(credential, "resume")).content


def test_change_of_members_keeps_the_note(as_sam, alice, bob, domain):
    member = domain.memberships.get(user=bob)
    path = f"/admin/domains/domain/{domain.pk}/change/"
    assert "Members of the domain read this reason in Activity." in text(as_sam.get(path))
    owner = domain.memberships.get(user=alice)
    fields = {"reason": REASON, "note": NOTE, "memberships-TOTAL_FORMS": 2, "memberships-INITIAL_FORMS": 2}
    fields |= {"dns_records-TOTAL_FORMS": 0, "dns_records-INITIAL_FORMS": 0, "memberships-1-DELETE": "on"}
    for number, row in enumerate((owner, member)):
        values = {"id": row.pk, "email": row.user.email, "role": row.role, "domain": domain.pk}
        fields |= {f"memberships-{number}-{name}": value for name, value in values.items()}
    assert as_sam.post(path, fields).status_code == 302
    assert Event.objects.get(tag="support.member_removed").data["support_note"] == NOTE
    assert hidden_from_members(sign_in(Client(), alice))


def test_note_is_optional_and_as_harmless_as_a_reason(as_sam, credential):
    answer = post(as_sam, CREDENTIALS, "suspend", credential, reason=REASON, note="a\u202eb")
    assert answer.context["form"].errors["note"] and not Event.objects.filter(tag="credential.suspended")
    post(as_sam, CREDENTIALS, "suspend", credential, reason=REASON, note="")
    assert "support_note" not in Event.objects.get(tag="credential.suspended").data


def test_reason_of_act_on_user_is_for_support_alone(as_sam):
    form = text(post(as_sam, "/admin/accounts/user/", "end_sessions", make_user("max@example.com")))
    assert "Only support reads this reason." in form and 'name="note"' not in form


def test_admin_and_operators_export_have_the_note(as_sam, domain):
    post(as_sam, DOMAINS, "suspend", domain, reason=REASON, note=NOTE)
    event = Event.objects.get(tag="domain.suspended")
    assert NOTE in text(as_sam.get(f"/admin/audit/event/{event.pk}/change/"))
    assert NOTE in {json.loads(line)["data"].get("support_note") for line in export_lines()}
