"""Dangerous acts ask to confirm an old sign-in, and carry on afterwards."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from tests.factories import PASSWORD, make_credential, password_of
from tests.http import sign_in, smtp_url, text

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

HOUR = timedelta(hours=1)
ACTS = ("reveal", "copy", "reset", "delete")
TEXT, HTMX = {"Accept": "text/plain"}, {"HX-Request": "true"}
CONFIRM_PAGE = "/account/reauthenticate/"


@pytest.fixture
def old(client, alice):
    """Alice, who signed in an hour ago."""
    return sign_in(client, alice, ago=HOUR)


@pytest.mark.parametrize("act", (*ACTS, "networks", "expiry", "extend"))
@pytest.mark.parametrize("headers", [TEXT, HTMX])
def test_script_gets_a_401_with_the_confirmation_url(old, credential, act, headers):
    response = old.post(smtp_url(credential, act), headers=headers)
    assert (response.status_code, response["X-Confirm-Identity"]) == (401, CONFIRM_PAGE)
    assert response.content == b""
    assert not Event.objects.filter(credential=credential.username, actor__isnull=False).exists()


@pytest.mark.parametrize("act", ("reveal", "reset", "delete", "networks", "expiry"))
def test_act_dialog_is_not_shown_before_the_confirmation(old, credential, act):
    url = smtp_url(credential, act)
    response = old.get(url)
    assert response["Location"].startswith(f"{CONFIRM_PAGE}?next=")
    response = old.post(response["Location"], {"password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, url)


def test_posted_act_is_done_after_the_confirmation(old, credential):
    response = old.post(smtp_url(credential, "reveal"))
    confirm = response["Location"]
    asked = text(old.get(confirm))
    assert "Confirm it's you" in asked
    assert "Enter your password to continue. You signed in more than 15 minutes ago." in asked
    wrong = old.post(confirm, {"password": "not-the-password"})
    assert 'class="error"' in text(wrong) and password_of(credential) not in text(wrong)
    assert password_of(credential) in text(old.post(confirm, {"password": PASSWORD}))
    assert Event.objects.get(tag="credential.password_shown").actor_name == "alice@example.com"


@pytest.mark.parametrize(("seconds", "words"), [(60, "1 minute"), (1800, "30 minutes"), (7200, "2 hours")])
def test_confirmation_says_after_how_long_it_asks(client, alice, credential, settings, seconds, words):
    settings.REAUTHENTICATION_TIMEOUT = seconds
    sign_in(client, alice, ago=3 * HOUR)
    assert f"You signed in more than {words} ago." in text(
        client.get(smtp_url(credential, "reset"), follow=True)
    )


@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("members/invite/", {"emails": "max@example.org", "role": "viewer"}, "Invitation sent."),
        ("members/leave/", {}, "You are the last owner"),
        ("name/", {"title": "Shop"}, "Display name saved."),
        ("delete/", {"name": "sl.example.com"}, "Domain deleted."),
    ],
)
def test_posted_act_on_a_domain_is_done_after_the_confirmation(old, domain, act, fields, said):
    confirm = old.post(f"/domains/sl.example.com/settings/{act}", fields)["Location"]
    assert confirm.startswith(f"{CONFIRM_PAGE}?next=")
    assert said in text(old.post(confirm, {"password": PASSWORD}, follow=True))


def test_act_posted_to_a_url_with_query_is_done_after_the_confirmation(old, domain):
    path = "/domains/sl.example.com/settings/delete/?page=2"
    confirm = old.post(path, {"name": "sl.example.com"})["Location"]
    assert "Domain deleted." in text(old.post(confirm, {"password": PASSWORD}, follow=True))


@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("networks", {"networks": "192.0.2.1"}, "Allowed networks saved."),
        ("expiry", {"day": timezone.localdate() + timedelta(days=30)}, "Expiry date saved."),
    ],
)
def test_limits_of_an_smtp_user_are_set_after_the_confirmation(old, credential, act, fields, said):
    confirm = old.post(smtp_url(credential, act), fields)["Location"]
    assert said in text(old.post(confirm, {"password": PASSWORD}, follow=True))


def test_notifications_are_turned_off_after_the_confirmation(old, alice):
    confirm = old.post("/account/notifications/", {"tell_dns": "on"})["Location"]
    alice.refresh_from_db()
    assert alice.tell_credentials and confirm.startswith(f"{CONFIRM_PAGE}?next=")
    assert "Notifications saved." in text(old.post(confirm, {"password": PASSWORD}, follow=True))
    alice.refresh_from_db()
    assert alice.tell_dns and not (alice.tell_credentials or alice.tell_members)


def test_suspended_request_in_the_session_has_no_secret(old, credential):
    old.post(smtp_url(credential, "reveal"))
    assert password_of(credential) not in str(dict(old.session))


def test_suspended_act_applies_to_its_own_credential_only(old, credential, domain):
    other = make_credential(domain)
    old.post(smtp_url(credential, "delete"))
    response = old.post(f"{CONFIRM_PAGE}?next={smtp_url(other, 'delete')}", {"password": PASSWORD})
    assert response["Location"] == smtp_url(other, "delete")
    assert domain.credentials.count() == 2


def test_abandoned_act_is_not_done_by_a_later_confirmation(old, credential):
    url, password = smtp_url(credential, "reset"), password_of(credential)
    old.post(url)
    confirm = old.get(url)["Location"]
    assert old.post(confirm, {"password": PASSWORD})["Location"] == url
    assert password_of(credential) == password


def test_wrong_passwords_of_the_confirmation_are_throttled(old, credential):
    confirm = old.post(smtp_url(credential, "reveal"))["Location"]
    for _ in range(5):
        old.post(confirm, {"password": "not-the-password"})
    assert "Too many failed login attempts" in text(old.post(confirm, {"password": PASSWORD}))


@pytest.mark.parametrize("act", ACTS)
def test_user_without_the_right_is_refused_before_any_confirmation(client, bob, carol, credential, act):
    sign_in(client, carol, ago=HOUR)
    absent = client.post(smtp_url(credential, act).replace("sl.example.com", "no.example.com"))
    answer = client.post(smtp_url(credential, act))
    assert (answer.status_code, answer.content) == (
        absent.status_code,
        absent.content,
    ) and answer.status_code == 404
    sign_in(client, bob, ago=HOUR)
    assert client.post(smtp_url(credential, act)).status_code == 403


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (890, 200), (905, 401), (-60, 401)])
def test_sign_in_within_15_minutes_is_recent(client, alice, credential, seconds, status):
    sign_in(client, alice, ago=timedelta(seconds=seconds))
    assert client.post(smtp_url(credential, "copy"), headers=TEXT).status_code == status


def test_reading_pages_and_labelling_needs_no_confirmation(old, credential):
    assert old.get(smtp_url(credential.domain)).status_code == 200
    assert old.post(smtp_url(credential, "label"), {"label": "Shop"}, headers=HTMX).status_code == 200
