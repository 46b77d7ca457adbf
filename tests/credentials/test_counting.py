"""Counts that many servers add to: added up, capped, and never moved back in time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credentials.models import Credential, upsert
from credentials.models.clients import ClientDay
from credentials.models.upsert import at_most, count_up, update_each
from tests.factories import make_credential
from tests.http import at_once

pytestmark = pytest.mark.django_db
ONCE, NOW = ("username", "day", "ip"), timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
COUNTS = ("accepted", "refused")


def a_day(domain, ip="203.0.113.7", *, at=NOW, username="A" * 32, accepted=0, refused=0, last_cause=""):
    row = {"domain_id": domain.pk, "username": username, "day": NOW.date(), "ip": ip, "accepted": accepted}
    return row | {"refused": refused, "last_cause": last_cause, "first_at": at, "last_at": at}


def add(*rows):
    count_up(ClientDay, rows, once=ONCE, add=COUNTS, said=("last_cause",))


def test_counts_add_up_and_the_latest_time_stays(domain):
    later, earlier = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    for at in (NOW, later, earlier):
        add(a_day(domain, at=at, accepted=2, refused=1))
    row = ClientDay.objects.get()
    assert (row.accepted, row.refused, row.first_at, row.last_at) == (6, 3, NOW, later)


def test_what_is_said_last_stays_until_something_else_is_said(domain):
    said = []
    for cause in ("", "expired", "", "suspended"):
        add(a_day(domain, last_cause=cause))
        said.append(ClientDay.objects.get().last_cause)
    assert said == ["", "expired", "expired", "suspended"]


def test_many_rows_are_few_statements_and_none_is_none(domain, monkeypatch):
    monkeypatch.setattr(upsert, "CHUNK", 4)
    with CaptureQueriesContext(connection) as queries:
        add(*(a_day(domain, f"203.0.113.{number}", accepted=number) for number in range(10)))
        add()
    assert len(queries) == 3
    assert ClientDay.objects.get(ip="203.0.113.9").accepted == 9


@pytest.mark.django_db(transaction=True)
def test_servers_that_write_the_same_rows_at_once_add_up_and_do_not_deadlock(domain):
    rows = [a_day(domain, f"203.0.113.{number}", accepted=1) for number in range(40)]

    def write(rows):
        for _ in range(5):
            add(*rows)

    at_once(lambda: write(rows), lambda: write(rows[::-1]), lambda: write(rows))
    assert set(ClientDay.objects.values_list("accepted", flat=True)) == {15}


def test_there_is_room_for_what_is_there_and_for_new_ones_up_to_the_most(domain):
    add(a_day(domain, "192.0.2.1"), a_day(domain, "192.0.2.2"), a_day(domain, "192.0.2.1", username="B" * 32))
    here, there = ("A" * 32, NOW.date()), ("B" * 32, NOW.date())
    keys = [(*here, f"192.0.2.{number}") for number in (1, 2, 3, 4)] + [(*there, "192.0.2.9")]
    has_room = at_most(ClientDay, keys, 3, names=ONCE)
    assert [has_room(key) for key in keys] == [True, True, True, False, True]
    assert not any(at_most(ClientDay, keys[2:4], 2, names=ONCE)(key) for key in keys[2:4])


@pytest.mark.parametrize("size", [1, 2, 500])
def test_the_most_holds_over_any_number_of_questions(domain, monkeypatch, size):
    monkeypatch.setattr(upsert, "CHUNK", size)
    add(a_day(domain, "192.0.2.5"))
    keys = [("A" * 32, NOW.date(), f"192.0.2.{number}") for number in range(1, 8)]
    has_room = at_most(ClientDay, keys, 3, names=ONCE)
    assert [key[2] for key in keys if has_room(key)] == ["192.0.2.1", "192.0.2.2", "192.0.2.5"]


def test_each_row_is_set_to_its_own_values_and_only_to_newer_ones(domain, monkeypatch):
    monkeypatch.setattr(upsert, "CHUNK", 2)
    noted = [None, NOW - timedelta(days=1), NOW + timedelta(days=1)]
    rows = [make_credential(domain, last_used_at=at) for at in noted]
    new = [
        {"id": row.pk, "last_used_at": NOW, "last_used_ip": f"192.0.2.{number}"}
        for number, row in enumerate(rows)
    ]
    update_each(Credential, new, "(old.last_used_at IS NULL OR old.last_used_at < new.last_used_at)")
    written = Credential.objects.order_by("pk").values_list("last_used_at", "last_used_ip")
    assert list(written) == [(NOW, "192.0.2.0"), (NOW, "192.0.2.1"), (noted[2], None)]
