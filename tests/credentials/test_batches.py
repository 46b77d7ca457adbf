"""Rows that many servers add to at once: added up, and never moved back in time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credentials.models import Credential, LoginDay, batches
from credentials.models.batches import update_each
from tests.factories import make_credential
from tests.http import at_once

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


def a_day(domain, ip="203.0.113.7", *, at=NOW, username="A" * 32, count=1, **more):
    row = {"domain_id": domain and domain.pk, "username": username, "day": NOW.date(), "ip": ip}
    row |= {"outcome": "accepted", "retired_password_id": None, "count": count, "ehlo": "", "mail_from": ""}
    return row | {"first_at": at, "last_at": at} | more


def add(*rows):
    LoginDay.objects.count_up(rows)


def test_counts_add_up_between_the_earliest_and_the_latest_time(domain):
    later, earlier = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    for at in (NOW, later, earlier):
        add(a_day(domain, at=at, count=2))
    row = LoginDay.objects.get()
    assert (row.count, row.first_at, row.last_at) == (6, earlier, later)


def test_rows_of_one_retired_password_and_of_none_are_each_one(domain):
    for password in (None, 7, None, 7, 8):
        add(a_day(domain, retired_password_id=password))
    rows = LoginDay.objects.order_by("pk").values_list("retired_password_id", "count")
    assert list(rows) == [(None, 2), (7, 2), (8, 1)]


def test_names_stay_until_others_are_given(domain):
    given = []
    for ehlo in ("", "a", "", "b\na"):
        add(a_day(domain, ehlo=ehlo))
        given.append(LoginDay.objects.get().ehlo)
    assert given == ["", "a", "a", "b\na"]


def test_many_rows_are_few_statements_and_none_is_none(domain, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 4)
    with CaptureQueriesContext(connection) as queries:
        add(*(a_day(domain, f"203.0.113.{number}", count=number) for number in range(10)))
        add()
    assert len(queries) == 3
    assert LoginDay.objects.get(ip="203.0.113.9").count == 9


@pytest.mark.django_db(transaction=True)
def test_servers_that_write_the_same_rows_at_once_add_up_and_do_not_deadlock(domain):
    rows = [a_day(domain, f"203.0.113.{number}") for number in range(40)]
    rows += [a_day(None, f"203.0.113.{number}", username="") for number in range(40)]

    def write(rows):
        for _ in range(5):
            add(*rows)

    at_once(lambda: write(rows), lambda: write(rows[::-1]), lambda: write(rows))
    assert set(LoginDay.objects.values_list("count", flat=True)) == {15}


def test_each_row_is_set_to_its_own_values_and_only_to_newer_ones(domain, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 2)
    noted = [None, NOW - timedelta(days=1), NOW + timedelta(days=1)]
    rows = [make_credential(domain, last_used_at=at) for at in noted]
    new = [
        {"id": row.pk, "last_used_at": NOW, "last_used_ip": f"192.0.2.{number}"}
        for number, row in enumerate(rows)
    ]
    update_each(Credential, new, "(old.last_used_at IS NULL OR old.last_used_at < new.last_used_at)")
    written = Credential.objects.order_by("pk").values_list("last_used_at", "last_used_ip")
    assert list(written) == [(NOW, "192.0.2.0"), (NOW, "192.0.2.1"), (noted[2], None)]
