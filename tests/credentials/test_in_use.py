"""Acts and limits that stop what was used within 24 hours: they warn, and need a ticked box."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential, LoginDay
from tests.factories import SYSTEM, make_credential, make_use, password_of
from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
ACTS = ["reset", "delete"]
TICK = "I understand that anything using it will stop sending."


def use(credential, **ago):
    at = timezone.now() - timedelta(**ago)
    Credential.objects.filter(pk=credential.pk).update(last_used_at=at, last_used_ip="203.0.113.7")


def state():
    return list(Credential.objects.values()), Event.objects.count()


@pytest.fixture
def used(domain):
    credential = make_credential(domain)
    use(credential, minutes=12)
    return credential


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("act", ACTS)
def test_question_about_a_used_credential_warns_and_has_a_box(as_alice, used, act, headers):
    page = text(as_alice.get(smtp_url(used, act), headers=headers))
    warning = re.search(r'<p class="alert warn">(.*?)</p>', page)[1]
    assert re.sub(r"<[^>]*>", "", warning) == "In use: last used 12 minutes ago from 203.0.113.7."
    assert re.search(r'<input type="checkbox" name="sure" required', page)
    assert TICK in page
    assert "has-error" not in page


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("last_used", [None, {"hours": 24, "seconds": 1}], ids=["never", "a day ago"])
def test_question_about_an_unused_credential_has_no_box(as_alice, credential, act, last_used):
    if last_used:
        use(credential, **last_used)
    page = text(as_alice.get(smtp_url(credential, act)))
    assert TICK not in page and "In use" not in page and "checkbox" not in page
    response = as_alice.post(smtp_url(credential, act), follow=True)
    assert "SMTP password is reset." in text(response) or "SMTP user is deleted." in text(response)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("sent", [{}, {"sure": ""}, {"sure": "false"}])
@pytest.mark.parametrize("act", ACTS)
def test_act_without_the_tick_changes_nothing_and_asks_again(as_alice, used, act, sent, headers):
    before = state()
    response = as_alice.post(smtp_url(used, act), sent, headers=headers)
    assert response.status_code == 422
    field = re.search(r'<div class="field has-error">.*?</div>', text(response), re.DOTALL)[0]
    assert TICK in field and "Nothing was changed yet" in field
    assert "Are you sure you want to" in text(response)
    assert response.get("HX-Retarget") == ("#dialog" if headers else None)
    assert state() == before


@pytest.mark.parametrize("act", ACTS)
def test_use_after_the_question_counts(as_alice, credential, act):
    assert TICK not in text(as_alice.get(smtp_url(credential, act), headers=HTMX))
    make_use(credential, "203.0.113.7")
    before = state()
    response = as_alice.post(smtp_url(credential, act), headers=HTMX)
    assert response.status_code == 422
    assert "last used <time" in text(response) and ">just now</time> from 203.0.113.7." in text(response)
    assert state() == before


def test_delete_with_the_tick_deletes(as_alice, used):
    response = as_alice.post(smtp_url(used, "delete"), {"sure": "on"}, follow=True)
    assert "SMTP user is deleted." in text(response)
    assert not Credential.objects.exists()


def test_reset_with_the_tick_resets(as_alice, used):
    old = password_of(used)
    seen = used.password_changed_at.isoformat()
    response = as_alice.post(smtp_url(used, "reset"), {"sure": "on", "seen": seen}, headers=HTMX)
    assert "SMTP password is reset." in text(response)
    assert password_of(used) != old


def test_repeated_reset_question_keeps_the_password_that_was_seen(as_alice, used):
    seen = used.password_changed_at.isoformat()
    Credential.objects.get(pk=used.pk).reset_password(by=SYSTEM)
    again = text(as_alice.post(smtp_url(used, "reset"), {"seen": seen}, headers=HTMX))
    assert re.search(r'name="seen" value="([^"]+)"', again)[1] == seen
    response = as_alice.post(smtp_url(used, "reset"), {"seen": seen, "sure": "on"}, headers=HTMX)
    assert response.status_code == 409
    assert "Nothing was reset" in text(response)


@pytest.mark.parametrize("act", ACTS)
def test_question_about_a_suspended_credential_used_today_has_a_box(as_alice, used, act):
    used.suspend(by=SYSTEM)
    assert as_alice.post(smtp_url(used, act)).status_code == 422


def limit(client, credential, act, value, **more):
    field = {"networks": "networks", "expiry": "day"}[act]
    return client.post(smtp_url(credential, act), {field: value} | more, headers=HTMX)


def day(days):
    return (timezone.localdate() + timedelta(days=days)).isoformat()


STOPS = [("networks", "192.0.2.0/24"), ("expiry", day(0)), ("expiry", day(6))]


@pytest.mark.parametrize(("act", "value"), STOPS)
def test_limit_that_stops_todays_use_needs_the_tick(as_alice, used, act, value):
    assert TICK not in text(as_alice.get(smtp_url(used, act), follow=True))  # nothing is entered yet
    before = state()
    response = limit(as_alice, used, act, value)
    assert (response.status_code, response["HX-Retarget"]) == (422, f"#cred-{used.username}")
    field = re.search(r'<div class="field has-error">.*?</div>', text(response), re.DOTALL)[0]
    assert TICK in field and "Nothing was changed yet" in field
    assert "203.0.113.7" in text(response) and value in text(response)
    assert state() == before
    assert limit(as_alice, used, act, value, sure="on").status_code == 200
    assert state() != before


@pytest.mark.parametrize(("act", "value"), STOPS)
def test_limit_on_an_unused_credential_needs_no_tick(as_alice, credential, act, value):
    assert limit(as_alice, credential, act, value).status_code == 200


@pytest.mark.parametrize(
    ("act", "value"),
    [
        ("networks", "203.0.113.0/24"),
        ("networks", "192.0.2.0/24\n::/0\n203.0.113.7"),
        ("networks", ""),
        ("expiry", day(8)),
        ("expiry", ""),
    ],
)
def test_limit_that_allows_todays_use_needs_no_tick(as_alice, used, act, value):
    assert limit(as_alice, used, act, value).status_code == 200


def test_looser_limit_needs_no_tick_even_with_use_outside(as_alice, used):
    limits = {"allowed_networks": "192.0.2.0/25", "expires_at": timezone.now() + timedelta(days=1)}
    Credential.objects.filter(pk=used.pk).update(**limits)
    assert limit(as_alice, used, "networks", "192.0.2.0/24\n198.51.100.1").status_code == 200
    assert limit(as_alice, used, "expiry", day(3)).status_code == 200
    assert limit(as_alice, used, "expiry", day(2)).status_code == 422


def test_limit_considers_all_of_todays_addresses_and_unknown_ones(as_alice, credential):
    for ip in ("203.0.113.7", "203.0.113.8", "198.51.100.1"):
        make_use(credential, ip)
    answer = limit(as_alice, credential, "networks", "203.0.113.7\n198.51.100.1")
    assert answer.status_code == 422 and "in the last 24 hours: 203.0.113.8." in text(answer)
    LoginDay.objects.filter(ip="203.0.113.8").update(ip="")
    answer = limit(as_alice, credential, "networks", "203.0.113.7\n198.51.100.1")
    assert answer.status_code == 422 and "from unknown addresses." in text(answer)


@pytest.mark.parametrize(
    ("act", "value", "said"), [("networks", "x", "is not a network"), ("expiry", "x", "Enter a date")]
)
def test_invalid_limit_is_reported_before_the_tick(as_alice, used, act, value, said):
    answer = text(limit(as_alice, used, act, value, sure="on"))
    assert said in answer and TICK not in answer
