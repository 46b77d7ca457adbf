"""Clients of a credential as they are written: by day and address, with the names they gave, all capped."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from credentials.models import clients
from credentials.models.clients import ClientDay, ClientName
from credentials.outcome import Outcome
from credentials.usage import client_buffer
from credentials.usage import tally as usage
from credentials.usage.tally import Tally
from tests.factories import SYSTEM, make_credential, make_use

pytestmark = pytest.mark.django_db
HOME, OFFICE = "203.0.113.7", "2001:db8::7"
EHLO, MAIL_FROM = ClientName.Kind.EHLO, ClientName.Kind.MAIL_FROM


@pytest.fixture
def noon():
    return timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


def days():
    rows = ClientDay.objects.order_by("day", "ip")
    return [(row.ip, row.accepted, row.refused, row.last_cause) for row in rows]


def names():
    return list(ClientName.objects.order_by("ip", "kind", "name").values_list("ip", "kind", "name", "count"))


def give(credential, *given, ip=HOME):
    """Names of messages, (kind, name), sent after a login."""
    tally = Tally()
    tally.add(credential.username, ip, Outcome.ACCEPTED)
    for kind, name in given:
        tally.add_name(credential.username, ip, kind, name)
    tally.write(finally_=True)


def test_logins_are_counted_by_day_and_address(credential, noon):
    make_use(credential, HOME, at=noon, number=3)
    make_use(credential, HOME, at=noon, number=2, outcome=Outcome.EXPIRED)
    make_use(credential, OFFICE, at=noon, outcome=Outcome.WRONG_PASSWORD)
    make_use(credential, HOME, at=noon - timedelta(days=1))
    assert days() == [(HOME, 1, 0, ""), (OFFICE, 0, 1, "wrong_password"), (HOME, 3, 2, "expired")]


def test_names_are_counted_and_are_one_by_kind(credential):
    give(credential, (EHLO, "shop.example"), (EHLO, "shop.example"), (MAIL_FROM, "shop.example"))
    assert names() == [(HOME, "ehlo", "shop.example", 2), (HOME, "mail_from", "shop.example", 1)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", None),
        ("x" * 5000, "x" * 254),
        ("a\x00b\r\n\x1b[31mc", "a?b???[31mc"),
        ("\u202eevil\u200b", "?evil?"),
        ("\ud800", "?"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
    ],
)
def test_a_name_may_hold_anything(credential, given, kept):
    give(credential, (EHLO, given))
    assert [name for _ip, _kind, name, _count in names()] == ([kept] if kept else [])


def test_beyond_200_addresses_a_day_clients_are_counted_together(credential, monkeypatch, noon):
    monkeypatch.setattr(client_buffer, "MAX_ADDRESSES", 2)
    for number in (1, 2, 3, 4, 1):
        make_use(credential, f"192.0.2.{number}", at=noon)
    make_use(credential, "192.0.2.4", at=noon - timedelta(days=1))
    assert days() == [("192.0.2.4", 1, 0, ""), ("", 2, 0, ""), ("192.0.2.1", 2, 0, ""), ("192.0.2.2", 1, 0, "")]


def test_of_those_the_names_are_kept_together_too(credential, monkeypatch):
    monkeypatch.setattr(client_buffer, "MAX_ADDRESSES", 2)
    for number in range(1, 5):
        give(credential, (EHLO, "shop.example"), ip=f"192.0.2.{number}")
    assert names() == [
        (ip, "ehlo", "shop.example", count) for ip, count in [("", 2), ("192.0.2.1", 1), ("192.0.2.2", 1)]
    ]


def test_an_address_gives_at_most_50_names_of_a_kind(credential, monkeypatch):
    monkeypatch.setattr(client_buffer, "MAX_NAMES", 2)
    give(credential, *((EHLO, f"host{number}") for number in range(5)), (MAIL_FROM, "a@sl.example.com"))
    give(credential, (EHLO, "host1"), (EHLO, "host9"))
    assert names() == [
        (HOME, "ehlo", "host0", 1),
        (HOME, "ehlo", "host1", 2),
        (HOME, "mail_from", "a@sl.example.com", 1),
    ]


def test_names_of_what_was_deleted_meanwhile_are_dropped(credential):
    tally = Tally()
    tally.add_name(credential.username, HOME, EHLO, "shop.example")
    credential.remove(by=SYSTEM)
    tally.write(finally_=True)
    assert names() == []


def test_they_are_written_every_few_seconds_and_at_the_end(credential, monkeypatch):
    monkeypatch.setattr(usage, "CLIENTS_EVERY_SECONDS", (1000, 1000))
    tally = Tally()
    for _ in range(3):
        tally.add(credential.username, HOME, Outcome.ACCEPTED)
        tally.write()
    assert days() == [(HOME, 1, 0, "")]
    tally.write(finally_=True)
    assert days() == [(HOME, 3, 0, "")]


def test_they_are_written_before_they_are_too_many(credential, monkeypatch):
    monkeypatch.setattr(usage, "CLIENTS_EVERY_SECONDS", (1000, 1000))
    monkeypatch.setattr(usage, "MAX_WAITING", 4)
    tally = Tally()
    tally.write()
    for number in range(4):
        tally.add(credential.username, f"203.0.113.{number}", Outcome.ACCEPTED)
        tally.write()
    assert len(days()) == 4


@pytest.mark.parametrize(("took", "pause"), [(0, 1), (0.02, 1), (0.1, 5), (3, 10)])
def test_the_longer_writing_takes_the_more_is_gathered_first(took, pause):
    assert usage.pause_after(took, (1, 10)) == pytest.approx(pause)


def test_what_could_not_be_written_is_written_the_next_time(credential, monkeypatch):
    monkeypatch.setattr(client_buffer, "MAX_ADDRESSES", 0)  # so that both are added up

    def fail(*args, **kwargs):
        raise OperationalError("the database is away")

    tally = Tally()
    for ip in (HOME, OFFICE):
        tally.add(credential.username, ip, Outcome.ACCEPTED)
        tally.add_name(credential.username, ip, EHLO, "shop.example")
    with monkeypatch.context() as patch:
        patch.setattr(client_buffer, "count_up", fail)
        with pytest.raises(OperationalError):
            tally.write(finally_=True)
    tally.add_name(credential.username, HOME, EHLO, "shop.example")
    tally.write(finally_=True)
    assert days() == [("", 2, 0, "")] and names() == [("", "ehlo", "shop.example", 3)]


def test_memory_holds_no_more_than_its_bound_and_what_is_dropped_is_told(credential, caplog):
    counts = client_buffer.ClientCounts(most=3)
    for number in range(9):
        counts.add_name(credential.username, HOME, EHLO, f"host{number}", timezone.now())
    counts.write()
    assert len(names()) == 3
    assert "6 times a client was not counted" in caplog.text
    caplog.clear()
    counts.write()
    assert not caplog.text


def test_clients_are_forgotten_after_30_days(domain):
    now = timezone.now()
    for old in (31, 29):
        credential = make_credential(domain, label=f"{old} days")
        make_use(credential, at=now - timedelta(days=old))
        give(credential, (EHLO, "shop.example"))
        ClientName.objects.filter(username=credential.username).update(last_at=now - timedelta(days=old))
    ClientDay.objects.filter(day=now.date()).delete()
    clients.forget(now)
    assert {row.username for row in (*ClientDay.objects.all(), *ClientName.objects.all())} == {
        credential.username
    }
