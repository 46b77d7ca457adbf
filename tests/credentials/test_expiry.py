"""The expiry date: the day, its end, Extend, the warning, and two at once."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.emails import Letter
from audit.models import Event
from credentials import expiry, expiry_warnings
from credentials.models import Credential
from credentials.outcome import Outcome
from tests.factories import PASSWORD, SYSTEM, make_credential, password_of
from tests.http import at_once, delivered, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
DAY = timedelta(days=1)


def expire(credential, **time):
    Credential.objects.filter(pk=credential.pk).update(expires_at=timezone.now() + timedelta(**time))
    credential.refresh_from_db()


def set_to(client, credential, day):
    return client.post(smtp_url(credential, "expiry"), {"day": day}, headers=HTMX)


def state():
    return Credential.objects.values().get(), Event.objects.count()


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("UTC", date(2026, 4, 11), datetime(2026, 4, 12, tzinfo=UTC)),
        ("America/New_York", date(2026, 4, 11), datetime(2026, 4, 12, 4, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 25, 23, tzinfo=UTC)),  # a day of 25 hours
        ("Asia/Beirut", date(2026, 10, 24), datetime(2026, 10, 24, 22, tzinfo=UTC)),  # ends with 23:59 twice
        ("America/Santiago", date(2026, 9, 5), datetime(2026, 9, 6, 4, tzinfo=UTC)),  # no midnight after it
        ("UTC", date(2028, 2, 29), datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_expiry_is_the_last_moment_of_the_day_in_the_sites_time_zone(settings, zone, day, end):
    settings.TIME_ZONE = zone
    assert expiry.end_of(day) == end - timedelta.resolution
    assert expiry.day_of(expiry.end_of(day)) == day


def test_expiry_date_is_saved_shown_and_removed(as_alice, credential):
    day = timezone.localdate() + 30 * DAY
    page = text(set_to(as_alice, credential, day.isoformat()))
    credential.refresh_from_db()
    assert "Expiry date saved." in page and f"{day.day}, {day.year}, 23:59 UTC</time>." in page
    assert f"{credential.expires_at:%Y-%m-%d %H:%M:%S.%f}" == f"{day} 23:59:59.999999"
    asked = text(as_alice.get(smtp_url(credential, "expiry"), follow=True))
    assert f'value="{day}"' in asked and "until the end of this day (UTC)" in asked
    assert "Expiry date removed." in text(set_to(as_alice, credential, ""))
    events = Event.objects.filter(tag="credential.expiry_set").order_by("pk")
    assert [event.data for event in events] == [
        {"expires": day.isoformat()},
        {},
    ]


def test_expiry_date_can_be_today_at_the_earliest(as_alice, credential):
    set_to(as_alice, credential, timezone.localdate().isoformat())
    authenticate = Credential.objects.authenticate
    end = Credential.objects.get().expires_at
    password = password_of(credential)
    outcomes = [authenticate(credential.username, password, now=at).outcome for at in (end - DAY / 24, end)]
    assert outcomes == [Outcome.ACCEPTED, Outcome.EXPIRED]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2020-01-01", "This date has passed."),
        ("0001-01-01", "This date has passed."),
        ("9999-12-31", "within 10 years"),
        ("2026-02-30", "Enter a date as year-month-day"),
        ("31.12.2030", "Enter a date as year-month-day"),
        ("tomorrow", "Enter a date as year-month-day"),
        ("\x00", "Enter a date as year-month-day"),
        ("9" * 5000, "Enter a date as year-month-day"),
        ("<script>", "Enter a date as year-month-day"),
    ],
)
def test_impossible_expiry_date_is_refused_at_its_field(as_alice, credential, day, words):
    before = state()
    response = set_to(as_alice, credential, day)
    assert (response.status_code, response["HX-Retarget"]) == (422, f"#cred-{credential.username}")
    assert words in re.search(r'<div class="error".*?</div>', text(response))[0]
    assert "<script>" not in text(response) and state() == before


@pytest.mark.parametrize(
    ("left", "badge", "offers"),
    [
        ({"days": 8}, None, False),
        ({"days": 5}, "Expires in 5 days", True),
        ({"days": -2}, "Expired", True),
    ],
)
def test_the_row_says_when_it_expires_and_offers_more_time(
    as_alice, client, bob, credential, left, badge, offers
):
    expire(credential, **left)
    page = text(as_alice.get(smtp_url(credential.domain)))
    found = re.search(r'<span class="badge suspended">(.*?)</span>', page)
    assert (found and re.sub("<[^>]*>", "", found[1])) == badge
    assert ('/#limits" aria-label="Extend: ' in page) == offers
    client.force_login(bob)
    assert 'aria-label="Extend: ' not in text(client.get(smtp_url(credential.domain)))


@pytest.mark.parametrize(
    ("now", "expires", "words"),
    [
        # In the site's time zone, five hours behind UTC: Monday, Nov 30, has begun at 05:00.
        ("2026-11-30 05:00", "2026-12-05 04:59", "in 4 days"),
        ("2026-12-01 04:59", "2026-12-05 04:59", "in 4 days"),
        ("2026-11-30 04:59", "2026-12-05 04:59", "in 5 days"),
        ("2026-12-03 12:00", "2026-12-05 04:59", "tomorrow"),
        ("2026-12-04 05:00", "2026-12-05 04:59", "today"),
        ("2026-12-05 04:58", "2026-12-05 04:59", "today"),
        # On Sunday the clocks went forward: that day has 23 hours.
        ("2026-03-07 20:00", "2026-03-09 20:00", "in 2 days"),
    ],
)
def test_days_until_expiry_are_days_of_the_sites_calendar(
    client, alice, credential, settings, monkeypatch, now, expires, words
):
    settings.TIME_ZONE = "America/New_York"
    now, expires = (datetime.fromisoformat(f"{text}+00:00") for text in (now, expires))
    Credential.objects.update(expires_at=expires)
    monkeypatch.setattr(timezone, "now", lambda: now)
    sign_in(client, alice)
    assert re.search(
        rf"Expires <time [^>]*>{words}</time></span>", text(client.get(smtp_url(credential.domain)))
    )
    overview = text(client.get("/domains/sl.example.com/"))
    assert re.search(rf"it expires <time [^>]*>{words}</time>, on", overview)
    expiry_warnings.warn_owners(now)
    assert f"An SMTP user of sl.example.com expires {words}." in Letter.objects.get().message().body


@pytest.mark.parametrize("left", [{"days": 5}, {"hours": 1}, {"days": -400}])
def test_extend_gives_90_days_more_counted_from_today_when_it_is_over(as_alice, credential, left):
    expire(credential, **left)
    start = max(credential.expires_at.date(), timezone.localdate())
    response = as_alice.post(smtp_url(credential, "extend"), headers=HTMX)
    assert "SMTP user extended by 90 days." in text(response)
    assert Credential.objects.get().expires_at.date() == start + 90 * DAY
    assert Event.objects.latest("pk").data == {"expires": (start + 90 * DAY).isoformat()}
    assert Credential.objects.usable(timezone.now()).exists()
    assert as_alice.post(smtp_url(credential, "extend"), headers=HTMX).status_code == 409
    assert Event.objects.filter(tag="credential.expiry_set").count() == 1


@pytest.mark.parametrize("left", [None, {"days": 8}])
def test_extend_refuses_what_does_not_expire_soon(as_alice, credential, left):
    expire(credential, **left) if left else None
    before = state()
    response = as_alice.post(smtp_url(credential, "extend"), headers=HTMX)
    assert response.status_code == 409 and "does not expire within 7 days" in text(response)
    assert state() == before


def test_extend_while_signed_out_is_offered_again(client, alice, credential):
    expire(credential, days=1)
    login = client.post(smtp_url(credential, "extend"))["Location"]
    page = client.get(login)
    follow = unescape(re.search(r'name="next" value="([^"]*)"', text(page))[1])
    page = client.post("/login/", {"login": alice.email, "password": PASSWORD, "next": follow}, follow=True)
    assert "Nothing was done." in text(page) and f'href="{smtp_url(credential, "extend")}"' in text(page)
    page = client.get(smtp_url(credential, "extend"), follow=True)
    assert page.redirect_chain[-1] == (smtp_url(credential, "page") + "#limits", 302)
    assert "Extend by 90 days" in text(page)


@pytest.mark.parametrize("act", ["expiry", "extend"])
def test_expiry_is_refused_to_strangers_and_viewers(client, bob, carol, credential, act):
    expire(credential, days=1)
    before = state()
    for person, status in ((carol, 404), (bob, 403)):
        client.force_login(person)
        assert client.post(smtp_url(credential, act), {"day": ""}).status_code == status
    assert state() == before


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_extends_wins(credential):
    expire(credential, days=1)
    others = [Credential.objects.get() for _ in range(2)]
    assert sorted(at_once(*(lambda each=each: each.extend(by=SYSTEM) for each in others))) == [False, True]
    assert Event.objects.filter(tag="credential.expiry_set").count() == 1


def test_owners_are_warned_a_week_before_once_for_each_date(domain, capsys):
    soon, far = make_credential(domain, label="Shop"), make_credential(domain)
    over = make_credential(domain)
    for credential, days in ((soon, 6), (far, 8), (over, -1)):
        expire(credential, days=days)
    for told in (1, 0):
        call_command("tidy")
        assert capsys.readouterr().out == f"{told} expiry warning{'' if told else 's'} sent to owners\n"
    (letter,) = delivered()
    assert letter.to == ["alice@example.com"] and soon.username in letter.body
    assert letter.subject.startswith("SMTP user for sl.example.com expires on ") and "(Shop)" in letter.body
    soon.refresh_from_db()
    soon.set_expiry(timezone.localdate() + DAY, by=SYSTEM)
    assert [expiry_warnings.warn_owners(timezone.now()) for _ in range(2)] == [1, 0]


@pytest.mark.django_db(transaction=True)
def test_concurrent_warning_runs_write_one_letter(credential):
    expire(credential, days=3)
    now = timezone.now()
    assert sum(at_once(*[lambda: expiry_warnings.warn_owners(now)] * 3)) == 1
    assert Letter.objects.count() == 1
