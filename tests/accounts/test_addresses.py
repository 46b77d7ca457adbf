"""One rule for typed addresses everywhere; a bad one that is stored already does no harm."""

import csv
import io
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts import email_addresses, emails
from accounts.models import User
from accounts.openid.provider import Provider
from audit.models import Event
from domains.models import Domain
from tests.factories import make_domain, make_user
from tests.http import sign_in, text
from web.characters import harmless

pytestmark = pytest.mark.django_db

RAW = '"a\x01\x1b[31mb"@evil.com'
REFUSED = {
    "control characters": RAW,
    "zero-width": "a@exam\u200bple.com",
    "zero-width at the end": "ana@example.net\u200b",
    "zero-width at the start": "\ufeffana@example.net",
    "zero-width before the @": "ana\u2060@example.net",
    "filler of Hangul": "ana\u3164@example.net",
    "variation selector": "ana@example\ufe0f.net",
    "soft hyphen": "a@exam\u00adple.com",
    "bidi": "a@exam\u202eple.com",
    "full stop of Chinese": "a@example。com",
    "circled": "a@①.com",
    "wide": "a@ｅxample.com",
    "address literal": "a@[192.0.2.1]",
    "long local part": "a" * 65 + "@example.com",
    "long": "a@" + "b" * 60 + ("." + "c" * 60) * 4,
    "endless": "a@" + "b." * 50_000 + "com",
    "Kelvin": "\u212a@example.com",
}
wrong = pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Anna@Example.COM ", "anna@example.com"),
        ("o'neil+shop@example.com", "o'neil+shop@example.com"),
        ('"ab"@example.com', '"ab"@example.com'),
        ("info@MÜNCHEN.de", "info@münchen.de"),
        ("info@xn--mnchen-3ya.de", "info@xn--mnchen-3ya.de"),
        ("info@пример.рф", "info@пример.рф"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_valid_address_is_stored_in_one_form(typed, stored):
    assert email_addresses.clean(typed) == stored


@wrong
def test_misleading_address_is_refused_with_a_reason(address):
    with pytest.raises(ValidationError) as refusal:
        email_addresses.clean(address)
    assert refusal.value.message.endswith((".", "?"))


@wrong
def test_misleading_address_can_not_be_invited(client, address):
    owner = make_user("owner@example.com")
    domain = make_domain("sl.example.com", owner=owner)
    sign_in(client, owner)
    response = client.post(reverse("domains:invite", args=[domain.name]), {"emails": address, "role": "viewer"})
    assert response.status_code == 422 and not domain.invitations.exists()


@pytest.mark.parametrize("address", [REFUSED["control characters"], REFUSED["bidi"]])
def test_error_spells_out_invisible_characters(client, address):
    owner = make_user("owner@example.com")
    domain = make_domain("sl.example.com", owner=owner)
    response = sign_in(client, owner).post(
        reverse("domains:invite", args=[domain.name]), {"emails": address, "role": "viewer"}
    )
    assert (
        f"“{harmless(address)}” is not an e-mail address that can be invited. Remove the invisible"
        in unescape(text(response))
    )


@wrong
def test_misleading_address_can_not_become_a_users_email(client, address):
    alice = make_user("alice@example.com")
    sign_in(client, alice)
    response = client.post(reverse("account_email"), {"email": address})
    assert response.status_code in (200, 422) and 'class="error"' in text(response)
    assert not alice.emailaddress_set.exclude(email=alice.email).exists()


# allauth turns a Kelvin sign into k first, and mails the link there.
@pytest.mark.parametrize("address", [address for name, address in REFUSED.items() if name != "Kelvin"])
def test_misleading_address_can_not_sign_up(client, settings, address):
    settings.SIGNUP_OPEN = True
    password = "correct horse battery"
    client.post(reverse("account_signup"), {"email": address, "password1": password, "password2": password})
    assert not User.objects.exists()


@wrong
def test_support_can_not_add_a_user_with_a_misleading_address(client, address):
    staff = make_user("staff@example.com", is_staff=True, is_superuser=True)
    sign_in(client, staff)
    client.post("/admin/accounts/user/add/", {"email": address, "name": "x"})
    assert list(User.objects.all()) == [staff]


@wrong
def test_commands_make_no_user_with_a_misleading_address(address):
    with pytest.raises((CommandError, ValidationError)):
        call_command("createsuperuser", email=address, interactive=False)
    assert not User.objects.exists()


@wrong
def test_provider_signs_in_no_user_by_a_misleading_address(address):
    assert Provider.extract_email_addresses(None, {"email": address, "email_verified": True}) == []


@pytest.fixture
def bad(client):
    """A user with recorded acts whose address is older than this rule."""
    person = make_user("bad@example.com")
    User.objects.filter(pk=person.pk).update(email=RAW)
    person.refresh_from_db()
    domain = make_domain("sl.example.com", owner=person)
    sign_in(client, person)
    client.post(
        reverse("domains:rename", args=[domain.name]), {"title": "Shop"}, headers={"User-Agent": "x\x1b[31m"}
    )
    return person


def test_stored_misleading_address_is_spelled_out_in_activity_csv_and_email(client, bad):
    assert Event.objects.filter(actor_name=RAW, tag="domain.renamed").exists()
    viewer = make_user("viewer@example.com")
    Domain.objects.get().memberships.create(user=viewer, role="viewer")
    sign_in(client, viewer)
    page = text(client.get(reverse("audit:activity", args=["sl.example.com"])))
    file = b"".join(client.get(reverse("audit:export", args=["sl.example.com"])).streaming_content).decode()
    rows = list(csv.reader(io.StringIO(file)))
    assert any(r'"a\x01\x1b[31mb"@evil.com' in row for row in rows)
    emails.post("a@example.com", f"By {RAW}", RAW, f"<p>{RAW}</p>")
    message = emails.Letter.objects.latest("pk").message()
    for shown in (page, file, message.subject, message.body, message.alternatives[0][0]):
        assert not set(shown) & set("\x01\x1b")


def test_stored_misleading_address_is_spelled_out_by_commands(capsys, bad):
    call_command("unlink_openid", RAW)
    assert r"\x1b[31m" in (said := capsys.readouterr().out) and "\x1b" not in said


def test_support_can_deactivate_a_user_with_a_misleading_address(client, bad):
    sign_in(client, make_user("staff@example.com", is_staff=True, is_superuser=True))
    client.post(f"/admin/accounts/user/{bad.pk}/change/", {"name": "x"})
    bad.refresh_from_db()
    assert not bad.is_active
