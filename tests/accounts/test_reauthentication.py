"""Dangerous acts ask to confirm an old sign-in, and carry on afterwards."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from tests.factories import PASSWORD, make_credential, password_of
from tests.http import sign_in, smtp_url, text

pytestmark = pytest.mark.django_db

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
def test_a_script_is_told_where_to_confirm_and_nothing_happens(old, credential, act, headers):
    response = old.post(smtp_url(credential, act), headers=headers)
    assert (response.status_code, response["X-Confirm-Identity"]) == (401, CONFIRM_PAGE)
    assert response.content == b""
    assert not Event.objects.filter(credential=credential.username, actor__isnull=False).exists()


@pytest.mark.parametrize("act", ("reveal", "reset", "delete", "networks", "expiry"))
def test_the_question_is_not_asked_before_the_confirmation(old, credential, act):
    url = smtp_url(credential, act)
    response = old.get(url)
    assert response["Location"].startswith(f"{CONFIRM_PAGE}?next=")
    response = old.post(response["Location"], {"password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, url)


def test_a_posted_act_is_done_after_the_confirmation(old, credential):
    response = old.post(smtp_url(credential, "reveal"))
    confirm = response["Location"]
    assert "Confirm it's you" in text(old.get(confirm))
    wrong = old.post(confirm, {"password": "not-the-password"})
    assert 'class="error"' in text(wrong) and password_of(credential) not in text(wrong)
    assert password_of(credential) in text(old.post(confirm, {"password": PASSWORD}))
    assert Event.objects.get(tag="credential.password_shown").actor_name == "alice@example.com"


@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("members/invite/", {"emails": "max@example.org", "role": "viewer"}, "Invitation sent."),
        ("members/leave/", {}, "You are the last owner"),
        ("name/", {"title": "Shop"}, "Display name saved."),
        ("delete/", {"name": "sl.example.com"}, "Domain deleted."),
    ],
)
def test_what_was_posted_about_a_domain_is_done_after_the_confirmation(old, domain, act, fields, said):
    confirm = old.post(f"/domains/sl.example.com/settings/{act}", fields)["Location"]
    assert confirm.startswith(f"{CONFIRM_PAGE}?next=")
    assert said in text(old.post(confirm, {"password": PASSWORD}, follow=True))


def test_what_was_posted_to_an_address_with_a_query_is_done_too(old, domain):
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


def test_letters_are_switched_off_after_the_confirmation(old, alice):
    confirm = old.post("/account/notifications/", {"tell_dns": "on"})["Location"]
    alice.refresh_from_db()
    assert alice.tell_credentials and confirm.startswith(f"{CONFIRM_PAGE}?next=")
    assert "Notifications saved." in text(old.post(confirm, {"password": PASSWORD}, follow=True))
    alice.refresh_from_db()
    assert alice.tell_dns and not (alice.tell_credentials or alice.tell_members)


def test_what_waits_in_the_session_holds_no_secret(old, credential):
    old.post(smtp_url(credential, "reveal"))
    assert password_of(credential) not in str(dict(old.session))


def test_an_act_waits_only_for_the_credential_it_was_asked_for(old, credential, domain):
    other = make_credential(domain)
    old.post(smtp_url(credential, "delete"))
    response = old.post(f"{CONFIRM_PAGE}?next={smtp_url(other, 'delete')}", {"password": PASSWORD})
    assert response["Location"] == smtp_url(other, "delete")
    assert domain.credentials.count() == 2


def test_an_act_that_was_given_up_is_not_done_with_a_later_question(old, credential):
    url, password = smtp_url(credential, "reset"), password_of(credential)
    old.post(url)
    confirm = old.get(url)["Location"]
    assert old.post(confirm, {"password": PASSWORD})["Location"] == url
    assert password_of(credential) == password


def test_wrong_passwords_are_throttled_there_too(old, credential):
    confirm = old.post(smtp_url(credential, "reveal"))["Location"]
    for _ in range(5):
        old.post(confirm, {"password": "not-the-password"})
    assert "Too many failed login attempts" in text(old.post(confirm, {"password": PASSWORD}))


@pytest.mark.parametrize("act", ACTS)
def test_who_may_not_is_told_so_without_any_confirmation(client, bob, carol, credential, act):
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
def test_fifteen_minutes_are_recent(client, alice, credential, seconds, status):
    sign_in(client, alice, ago=timedelta(seconds=seconds))
    assert client.post(smtp_url(credential, "copy"), headers=TEXT).status_code == status


def test_reading_pages_and_labels_asks_for_nothing(old, credential):
    assert old.get(smtp_url(credential.domain)).status_code == 200
    assert old.post(smtp_url(credential, "label"), {"label": "Shop"}, headers=HTMX).status_code == 200
