"""The tally of logins: what is written for each, when, and what happens when it can't be written."""

from datetime import timedelta

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credentials.models import upsert
from credentials.models.login_total import LoginTotal
from credentials.models.refusals import KEPT_FOR, Cause, RefusedLogins
from credentials.outcome import Outcome
from credentials.usage import tally as usage
from credentials.usage import writer
from credentials.usage.tally import Tally
from domains.models import Domain
from tests.factories import SYSTEM, make_credential

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


def counted():
    return {
        (row.credential_id, row.cause): (row.count, row.last_ip)
        for row in RefusedLogins.objects.order_by("day")
    }


def test_an_accepted_login_is_the_last_use(tally, credential, now):
    tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now)
    assert tally.write() == 1
    credential.refresh_from_db()
    assert (credential.last_used_at, credential.last_used_ip) == (now, HOME)
    assert credential.last_refused_at is None
    assert not RefusedLogins.objects.exists()


def test_refused_logins_are_counted_and_the_last_one_is_noted(tally, credential, now):
    for seconds, ip in ((0, HOME), (2, OFFICE), (1, HOME)):
        tally.add(credential.username, ip, Outcome.WRONG_PASSWORD, at=now + timedelta(seconds=seconds))
    tally.add(credential.username, HOME, Outcome.NETWORK_NOT_ALLOWED, at=now, number=5)
    assert tally.write() == 8
    assert counted() == {
        (credential.pk, "wrong_password"): (3, OFFICE),
        (credential.pk, "network_not_allowed"): (5, HOME),
    }
    credential.refresh_from_db()
    last = (credential.last_refused_at, credential.last_refused_ip, credential.last_refused_cause)
    assert last == (now + timedelta(seconds=2), OFFICE, "wrong_password")
    assert credential.last_used_at is None


def test_two_writes_add_up(tally, credential, now):
    for number in (2, 3):
        tally.add(credential.username, HOME, Outcome.EXPIRED, at=now, number=number)
        tally.write()
    assert counted() == {(credential.pk, "expired"): (5, HOME)}


def test_an_older_refusal_that_comes_late_does_not_hide_a_newer_one(tally, credential, now):
    for minutes, ip in ((0, HOME), (-5, OFFICE)):
        tally.add(credential.username, ip, Outcome.WRONG_PASSWORD, at=now + timedelta(minutes=minutes))
        tally.write()
    credential.refresh_from_db()
    assert (credential.last_refused_at, credential.last_refused_ip) == (now, HOME)


def test_each_day_is_counted_for_itself(tally, credential, now):
    for days in (0, 1):
        tally.add(credential.username, HOME, Outcome.WRONG_PASSWORD, at=now - timedelta(days=days))
    tally.write()
    tally.add(credential.username, HOME, Outcome.WRONG_PASSWORD, at=now - timedelta(days=1))
    tally.write()
    assert dict(RefusedLogins.objects.values_list("day", "count")) == {
        now.date(): 2,
        now.date() - timedelta(days=1): 1,
    }


def test_unknown_usernames_are_counted_together_and_accepted_ones_not_at_all(tally, db, now):
    for username in ("", STRANGE, "x" * 500):
        tally.add(username, HOME, Outcome.UNKNOWN_USERNAME, at=now)
    tally.add(STRANGE, HOME, None, at=now)
    tally.add(STRANGE, HOME, Outcome.ACCEPTED, at=now)  # deleted since
    assert tally.write() == 5
    assert counted() == {(None, "unknown_username"): (4, HOME)}


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({}, Cause.WRONG_PASSWORD),
        ({"suspended_at": timezone.now() - timedelta(days=9)}, Cause.SUSPENDED),
        ({"expires_at": timezone.now() - timedelta(days=9)}, Cause.EXPIRED),
        ({"expires_at": timezone.now() + timedelta(days=9)}, Cause.WRONG_PASSWORD),
        ({"allowed_networks": "192.0.2.0/24"}, Cause.NETWORK_NOT_ALLOWED),
        ({"allowed_networks": "203.0.113.0/24"}, Cause.WRONG_PASSWORD),
    ],
)
def test_a_cause_that_was_not_told_is_found_from_the_row(tally, domain, now, change, cause):
    credential = make_credential(domain, **change)
    tally.add(credential.username, HOME, None, at=now)
    tally.write()
    assert counted() == {(credential.pk, cause): (1, HOME)}


def test_a_cause_that_was_not_told_may_be_the_domains(tally, credential, now):
    Domain.objects.update(suspended_at=now)
    tally.add(credential.username, HOME, None, at=now)
    tally.write()
    assert counted() == {(credential.pk, "domain_not_authorized"): (1, HOME)}


def test_the_last_use_is_written_at_most_once_a_minute(tally, credential, now):
    def last_use_after(seconds):
        tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now + timedelta(seconds=seconds))
        tally.write()
        credential.refresh_from_db()
        return (credential.last_used_at - now).total_seconds()

    assert [last_use_after(seconds) for seconds in (0, 30, 59, 61, 90)] == [0, 0, 0, 61, 61]


def test_a_use_that_is_noted_already_is_not_written(tally, credential, now):
    for seconds in (0, 30):
        tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now + timedelta(seconds=seconds))
        with CaptureQueriesContext(connection) as queries:
            tally.write()
    assert not [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]


def test_logins_of_one_batch_are_one_write_of_the_last_use(tally, credential, now):
    for seconds in range(50):
        tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now + timedelta(seconds=seconds))
    with CaptureQueriesContext(connection) as queries:
        assert tally.write() == 50
    assert len([each for each in queries if each["sql"].startswith("UPDATE")]) == 1
    credential.refresh_from_db()
    assert credential.last_used_at == now + timedelta(seconds=49)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.WRONG_PASSWORD, None])
def test_the_dashboards_own_check_is_not_counted(tally, domain, now, outcome):
    credential = make_credential(domain, checked_at=now, checked_from=HOME)
    tally.add(credential.username, HOME, outcome, at=now + timedelta(seconds=3))
    tally.write()
    credential.refresh_from_db()
    assert (credential.last_used_at, credential.last_refused_at) == (None, None)
    assert not RefusedLogins.objects.exists()


@pytest.mark.parametrize(("ip", "seconds"), [(OFFICE, 3), (HOME, 61)], ids=["from elsewhere", "later"])
def test_another_login_beside_the_check_is_counted(tally, domain, now, ip, seconds):
    credential = make_credential(domain, checked_at=now, checked_from=HOME)
    for outcome in (Outcome.ACCEPTED, Outcome.WRONG_PASSWORD):
        tally.add(credential.username, ip, outcome, at=now + timedelta(seconds=seconds))
    tally.write()
    credential.refresh_from_db()
    assert credential.last_used_ip == credential.last_refused_ip == ip


def test_a_noted_check_is_known_by_its_address(tally, credential):
    credential.note_check(HOME)
    tally.add(credential.username, HOME, Outcome.ACCEPTED)
    tally.write()
    credential.refresh_from_db()
    assert credential.last_used_at is None


def test_what_could_not_be_written_is_written_the_next_time(tally, credential, now, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("the database is away")

    other = make_credential(credential.domain)
    tally.add(other.username, HOME, Outcome.ACCEPTED, at=now)
    tally.add(credential.username, HOME, Outcome.WRONG_PASSWORD, at=now, number=4)
    with monkeypatch.context() as patch:
        patch.setattr(RefusedLogins.objects, "count_up", fail)
        with pytest.raises(OperationalError):
            tally.write()
    other.refresh_from_db()
    assert other.last_used_at is None  # all or nothing
    tally.add(credential.username, HOME, Outcome.WRONG_PASSWORD, at=now + timedelta(seconds=1))
    assert tally.write() == 6
    assert counted() == {(credential.pk, "wrong_password"): (5, HOME)}
    other.refresh_from_db()
    assert other.last_used_at == now
    assert tally.write() == 0
    assert counted() == {(credential.pk, "wrong_password"): (5, HOME)}


def test_it_holds_no_more_than_its_bound(tally, credential, monkeypatch):
    monkeypatch.setattr(usage, "MAX_WAITING", 3)
    for number in range(5):
        tally.add(credential.username, f"203.0.113.{number}", Outcome.WRONG_PASSWORD)
    tally.add(credential.username, "203.0.113.0", Outcome.WRONG_PASSWORD)  # known, so it needs no room
    assert tally.write() == 4
    assert LoginTotal.objects.get(outcome="uncounted").count == 2
    tally.add(credential.username, "203.0.113.4", Outcome.WRONG_PASSWORD)
    assert tally.write() == 1
    assert RefusedLogins.objects.get().count == 5


@pytest.mark.parametrize("fault", [ValueError, DataError])
def test_a_login_by_which_we_fail_holds_up_no_other(tally, credential, now, monkeypatch, fault):
    write = writer.write

    def write_all_but_one(batch):
        if any(login.ip == OFFICE for login in batch):
            raise fault
        return write(batch)

    monkeypatch.setattr(writer, "write", write_all_but_one)
    for ip in (HOME, OFFICE):
        tally.add(credential.username, ip, Outcome.WRONG_PASSWORD, at=now, number=3)
    with pytest.raises(fault):
        tally.write()
    assert counted() == {(credential.pk, "wrong_password"): (3, HOME)}
    assert tally.write() == 0
    assert LoginTotal.objects.get(outcome="uncounted").count == 3


def test_a_credential_deleted_before_the_write_is_an_unknown_username(tally, credential, now):
    tally.add(credential.username, HOME, Outcome.WRONG_PASSWORD, at=now)
    tally.add(credential.username, HOME, Outcome.ACCEPTED, at=now)
    credential.remove(by=SYSTEM)
    tally.write()
    assert counted() == {(None, "unknown_username"): (1, HOME)}


def test_more_usernames_than_one_question_may_hold(tally, domain, now, monkeypatch):
    monkeypatch.setattr(upsert, "CHUNK", 2)
    made = [make_credential(domain) for _ in range(5)]
    for credential in made:
        tally.add(credential.username, HOME, Outcome.EXPIRED, at=now)
    tally.write()
    assert counted() == {(credential.pk, "expired"): (1, HOME) for credential in made}


def test_days_that_are_too_old_go_when_a_new_one_begins(credential, now):
    for days in (KEPT_FOR.days + 1, KEPT_FOR.days, 1):
        at = now - timedelta(days=days)
        for whose, cause in ((credential, Cause.EXPIRED), (None, Cause.UNKNOWN_USERNAME)):
            RefusedLogins.objects.count_up(whose, cause, 1, at=at, ip=HOME)
    RefusedLogins.objects.count_up(credential, Cause.EXPIRED, 1, at=now, ip=HOME)
    kept = RefusedLogins.objects.order_by("day").values_list("day", flat=True).distinct()
    assert [(now.date() - day).days for day in kept] == [KEPT_FOR.days, 1, 0]
