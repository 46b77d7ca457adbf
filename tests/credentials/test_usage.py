"""Counting logins: what a tally writes for each, and what happens when it can't be written."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credentials.models import LoginDay, batches
from credentials.models.login_day import ALL_LOGINS, LOGINS_KEPT_FOR
from credentials.outcome import Outcome
from credentials.usage import tally as usage
from credentials.usage import writer
from credentials.usage.tally import Tally
from domains.models import Domain
from tests.factories import SYSTEM, make_credential, make_use

pytestmark = pytest.mark.django_db

HOME, OFFICE = "203.0.113.7", "2001:db8::7"
STRANGE = "0123456789ABCDEF0123456789ABCDEF"


@pytest.fixture
def tally():
    return Tally()


@pytest.fixture
def now():
    """Noon, so that minutes around it are the same day."""
    return timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


def refused():
    """(username, outcome, address) → how many were refused, on all days."""
    rows = LoginDay.objects.exclude(username=ALL_LOGINS).exclude(outcome=Outcome.ACCEPTED)
    return {(row.username, row.outcome, row.ip): row.count for row in rows.order_by("day")}


def total(outcome):
    return LoginDay.objects.totals()[outcome]


def test_accepted_login_is_noted_as_last_use(tally, credential, now):
    tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now)
    tally.write()
    credential.refresh_from_db()
    assert (credential.last_used_at, credential.last_used_ip) == (now, HOME)
    assert credential.last_refused_at is None
    assert refused() == {} and total("accepted") == 1


def test_refused_logins_are_counted_by_cause_and_address_and_the_last_is_noted(tally, credential, now):
    for seconds, ip in ((0, HOME), (2, OFFICE), (1, HOME)):
        tally.add(credential.username, ip, Outcome.WRONG_PASSWORD, at=now + timedelta(seconds=seconds))
    tally.add(credential.username, HOME, Outcome.NETWORK_NOT_ALLOWED, at=now, number=5)
    tally.write()
    assert refused() == {
        (credential.username, "wrong_password", HOME): 2,
        (credential.username, "wrong_password", OFFICE): 1,
        (credential.username, "network_not_allowed", HOME): 5,
    }
    assert (total("wrong_password"), total("network_not_allowed")) == (3, 5)
    credential.refresh_from_db()
    last = (credential.last_refused_at, credential.last_refused_ip, credential.last_refused_cause)
    assert last == (now + timedelta(seconds=2), OFFICE, "wrong_password")
    assert credential.last_used_at is None


def test_counts_of_two_writes_add_up(tally, credential, now):
    for number in (2, 3):
        tally.add(credential.username, HOME, Outcome.EXPIRED, at=now, number=number)
        tally.write()
    assert refused() == {(credential.username, "expired", HOME): 5}
    assert total("expired") == 5


def test_older_refusal_that_comes_late_does_not_hide_newer_one(tally, credential, now):
    for minutes, ip in ((0, HOME), (-5, OFFICE)):
        tally.add(credential.username, ip, Outcome.WRONG_PASSWORD, at=now + timedelta(minutes=minutes))
        tally.write()
    credential.refresh_from_db()
    assert (credential.last_refused_at, credential.last_refused_ip) == (now, HOME)


def test_each_day_is_counted_for_itself(tally, credential, now):
    for days in (0, 1, 1):
        tally.add(credential.username, HOME, Outcome.WRONG_PASSWORD, at=now - timedelta(days=days))
        tally.write()
    counted = LoginDay.objects.filter(username=credential.username).values_list("day", "count")
    assert dict(counted) == {now.date(): 1, now.date() - timedelta(days=1): 2}


def test_unknown_usernames_are_counted_together_and_accepted_ones_not_at_all(tally, db, now):
    for username in ("", STRANGE, "x" * 500):
        tally.add(username, HOME, Outcome.UNKNOWN_USERNAME, at=now)
    tally.add(STRANGE, OFFICE, None, at=now)
    tally.add(STRANGE, HOME, Outcome.ACCEPTED, at=now)  # deleted since
    tally.write()
    assert refused() == {("", "unknown_username", HOME): 3, ("", "unknown_username", OFFICE): 1}
    assert (total("unknown_username"), total("accepted")) == (4, 0)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({}, Outcome.WRONG_PASSWORD),
        ({"suspended_at": timezone.now() - timedelta(days=9)}, Outcome.SUSPENDED),
        ({"expires_at": timezone.now() - timedelta(days=9)}, Outcome.EXPIRED),
        ({"expires_at": timezone.now() + timedelta(days=9)}, Outcome.WRONG_PASSWORD),
        ({"allowed_networks": "192.0.2.0/24"}, Outcome.NETWORK_NOT_ALLOWED),
        ({"allowed_networks": "203.0.113.0/24"}, Outcome.WRONG_PASSWORD),
    ],
)
def test_cause_that_was_not_reported_is_found_from_the_credential(tally, domain, now, change, cause):
    credential = make_credential(domain, **change)
    tally.add(credential.username, HOME, None, at=now)
    tally.write()
    assert refused() == {(credential.username, cause, HOME): 1}


@pytest.mark.parametrize(
    ("change", "cause"), [("suspended_at", "domain_suspended"), ("authorized_at", "domain_not_authorized")]
)
def test_cause_that_was_not_reported_may_be_the_domains(tally, credential, now, change, cause):
    Domain.objects.update(**{change: now if change == "suspended_at" else None})
    tally.add(credential.username, HOME, None, at=now)
    tally.write()
    assert refused() == {(credential.username, cause, HOME): 1}


def test_last_use_is_noted_at_most_once_a_minute(tally, credential, now):
    def last_use_after(seconds):
        tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now + timedelta(seconds=seconds))
        tally.write()
        credential.refresh_from_db()
        return (credential.last_used_at - now).total_seconds()

    assert [last_use_after(seconds) for seconds in (0, 30, 59, 61, 90)] == [0, 0, 0, 61, 61]
    assert total("accepted") == 5


def test_use_that_is_noted_already_updates_no_credential(tally, credential, now):
    for seconds in (0, 30):
        tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now + timedelta(seconds=seconds))
        with CaptureQueriesContext(connection) as queries:
            tally.write()
    assert not [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]


def test_logins_of_one_batch_are_one_update_and_one_insert(tally, credential, now):
    for seconds in range(50):
        tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now + timedelta(seconds=seconds))
    with CaptureQueriesContext(connection) as queries:
        tally.write()
    statements = [query["sql"].split()[0] for query in queries]
    assert (statements.count("UPDATE"), statements.count("INSERT")) == (1, 1)
    credential.refresh_from_db()
    assert credential.last_used_at == now + timedelta(seconds=49)
    assert total("accepted") == 50


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.WRONG_PASSWORD, None])
def test_live_check_of_the_dashboard_is_not_counted(tally, domain, now, outcome):
    credential = make_credential(domain, checked_at=now, checked_from=HOME)
    tally.add(credential.username, HOME, outcome, at=now + timedelta(seconds=3))
    tally.write()
    credential.refresh_from_db()
    assert (credential.last_used_at, credential.last_refused_at) == (None, None)
    assert not LoginDay.objects.exists()


@pytest.mark.parametrize(("ip", "seconds"), [(OFFICE, 3), (HOME, 61)], ids=["from elsewhere", "later"])
def test_login_beside_a_live_check_is_counted(tally, domain, now, ip, seconds):
    credential = make_credential(domain, checked_at=now, checked_from=HOME)
    for outcome in (Outcome.ACCEPTED, Outcome.WRONG_PASSWORD):
        tally.add(credential.username, ip, outcome, at=now + timedelta(seconds=seconds))
    tally.write()
    credential.refresh_from_db()
    assert credential.last_used_ip == credential.last_refused_ip == ip


def test_live_check_is_known_by_its_address(tally, credential):
    credential.note_check(HOME)
    tally.add(credential.username, HOME, Outcome.ACCEPTED)
    tally.write()
    credential.refresh_from_db()
    assert credential.last_used_at is None


def test_counts_of_a_failed_write_are_written_next_time(tally, credential, now, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("the database is away")

    other = make_credential(credential.domain)
    tally.add(other.username, HOME, Outcome.ACCEPTED, at=now)
    tally.add_message(other.username, OFFICE, ehlo="shop.example", mail_from="")
    tally.add(credential.username, HOME, Outcome.WRONG_PASSWORD, at=now, number=4)
    with monkeypatch.context() as patch:
        patch.setattr(LoginDay.objects, "count_up", fail)
        with pytest.raises(OperationalError):
            tally.write()
    other.refresh_from_db()
    assert other.last_used_at is None  # all or nothing
    tally.add(credential.username, HOME, Outcome.WRONG_PASSWORD, at=now + timedelta(seconds=1))
    for _ in range(2):
        tally.write()
        assert refused() == {(credential.username, "wrong_password", HOME): 5}
    other.refresh_from_db()
    assert other.last_used_at == now
    assert LoginDay.objects.get(ip=OFFICE).ehlo == "shop.example"


def test_tally_holds_no_more_than_its_bound_and_counts_the_rest(tally, credential, monkeypatch):
    monkeypatch.setattr(usage, "MAX_WAITING", 3)
    for number in range(5):
        tally.add(credential.username, f"203.0.113.{number}", Outcome.WRONG_PASSWORD)
    tally.add(credential.username, "203.0.113.0", Outcome.WRONG_PASSWORD)  # known, so it needs no room
    tally.write()
    assert (total("wrong_password"), total("uncounted")) == (4, 2)
    tally.add(credential.username, "203.0.113.4", Outcome.WRONG_PASSWORD)
    tally.write()
    assert (total("wrong_password"), total("uncounted")) == (5, 2)
    assert sum(refused().values()) == 5


@pytest.mark.parametrize("fault", [ValueError, DataError])
def test_login_by_which_writing_fails_holds_up_no_other(tally, credential, now, monkeypatch, fault):
    write = writer.write

    def write_all_but_one(batch):
        if any(attempt.ip == OFFICE for attempt in batch):
            raise fault
        return write(batch)

    monkeypatch.setattr(writer, "write", write_all_but_one)
    for ip in (HOME, OFFICE):
        tally.add(credential.username, ip, Outcome.WRONG_PASSWORD, at=now, number=3)
    with pytest.raises(fault):
        tally.write()
    assert refused() == {(credential.username, "wrong_password", HOME): 3}
    tally.write()
    assert (total("wrong_password"), total("uncounted")) == (3, 3)


def test_credential_deleted_before_the_write_is_an_unknown_username(tally, credential, now):
    tally.add(credential.username, HOME, Outcome.WRONG_PASSWORD, at=now)
    tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now)
    credential.remove(by=SYSTEM)
    tally.write()
    assert refused() == {(credential.username, "unknown_username", HOME): 1}
    assert (total("unknown_username"), total("accepted")) == (1, 1)


def test_more_usernames_than_one_statement_may_hold_are_written(tally, domain, now, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 2)
    made = [make_credential(domain) for _ in range(5)]
    for credential in made:
        tally.add(credential.username, HOME, Outcome.EXPIRED, at=now)
    tally.write()
    assert refused() == {(credential.username, "expired", HOME): 1 for credential in made}


@pytest.mark.parametrize(("took", "pause"), [(0, 1), (0.02, 1), (0.1, 5), (3, 10)])
def test_pause_between_writes_grows_with_the_time_they_take(took, pause):
    assert usage.pause_after(took, (1, 10)) == pytest.approx(pause)


def test_tidy_forgets_logins_after_30_days_and_keeps_the_totals(credential, now):
    for days in (LOGINS_KEPT_FOR.days + 1, LOGINS_KEPT_FOR.days, 1):
        for outcome in (Outcome.ACCEPTED, Outcome.EXPIRED):
            make_use(credential, at=now - timedelta(days=days), outcome=outcome)
    call_command("tidy", stdout=StringIO())
    kept = LoginDay.objects.filter(username=credential.username).order_by("day").values_list("day", flat=True)
    assert [(now.date() - day).days for day in kept.distinct()] == [30, 1]
    assert (total("accepted"), total("expired")) == (3, 3)
