"""Clients of a credential as they are written: by day and address, with the names they gave, all bounded."""

from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.models import LoginDay
from credentials.models.login_day import ALL_LOGINS, MAX_NAMES
from credentials.outcome import Outcome
from credentials.usage import writer
from credentials.usage.tally import Tally
from tests.factories import SYSTEM, make_use

pytestmark = pytest.mark.django_db
HOME, OFFICE = "203.0.113.7", "2001:db8::7"


@pytest.fixture
def noon():
    return timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


def logins():
    rows = LoginDay.objects.exclude(username=ALL_LOGINS).order_by("day", "ip", "outcome")
    return list(rows.values_list("ip", "outcome", "count"))


def names():
    """Address → its EHLO names and MAIL FROM addresses, the last one first."""
    rows = LoginDay.objects.exclude(ehlo="", mail_from="").order_by("day")
    return {
        ip: (ehlo.splitlines(), mail_from.splitlines())
        for ip, ehlo, mail_from in rows.values_list("ip", "ehlo", "mail_from")
    }


def send(credential, *messages, ip=HOME):
    """Messages after a login, each as (EHLO name, MAIL FROM)."""
    tally = Tally()
    tally.add(credential.username, ip, Outcome.ACCEPTED)
    for ehlo, mail_from in messages:
        tally.add_message(credential.username, ip, ehlo=ehlo, mail_from=mail_from)
    tally.write()


def test_logins_are_counted_by_day_address_and_outcome(credential, noon):
    make_use(credential, HOME, at=noon, number=3)
    make_use(credential, HOME, at=noon, number=2, outcome=Outcome.EXPIRED)
    make_use(credential, OFFICE, at=noon, outcome=Outcome.WRONG_PASSWORD)
    make_use(credential, HOME, at=noon - timedelta(days=1))
    assert logins() == [
        (HOME, "accepted", 1),
        (OFFICE, "wrong_password", 1),
        (HOME, "accepted", 3),
        (HOME, "expired", 2),
    ]


def test_names_are_kept_once_each_with_the_last_one_first(credential):
    send(credential, ("shop.example", "a@sl.example.com"), ("shop.example", "b@sl.example.com"))
    send(credential, ("blog.example", "a@sl.example.com"))
    assert names() == {HOME: (["blog.example", "shop.example"], ["a@sl.example.com", "b@sl.example.com"])}
    assert logins() == [(HOME, "accepted", 2)]


def test_message_without_a_login_on_its_day_is_no_login(credential):
    tally = Tally()
    tally.add_message(credential.username, HOME, ehlo="shop.example", mail_from="")
    tally.write()
    assert logins() == [(HOME, "accepted", 0)] and names() == {HOME: (["shop.example"], [])}
    credential.refresh_from_db()
    assert credential.last_used_at is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", []),
        ("x" * 5000, ["x" * 254]),
        ("a\x00b\r\n\x1b[31mc", ["a?b???[31mc"]),
        ("\u202eevil\u200b\u2028\x85", ["?evil???"]),
        ("\ud800", ["?"]),
        ("<img src=x onerror=alert(1)>", ["<img src=x onerror=alert(1)>"]),
        ("[IPv6:2001:db8::1]", ["[IPv6:2001:db8::1]"]),
    ],
)
def test_name_may_hold_anything(credential, given, kept):
    send(credential, (given, ""), ("", given))
    assert names() == ({HOME: (kept, kept)} if kept else {})


def test_beyond_200_addresses_a_day_logins_are_counted_together(credential, monkeypatch, noon):
    monkeypatch.setattr(writer, "MAX_ADDRESSES", 2)
    for number in (1, 2, 3, 4, 1):
        make_use(credential, f"192.0.2.{number}", at=noon)
    make_use(credential, "192.0.2.4", at=noon - timedelta(days=1))
    assert logins() == [
        ("192.0.2.4", "accepted", 1),
        ("", "accepted", 2),
        ("192.0.2.1", "accepted", 2),
        ("192.0.2.2", "accepted", 1),
    ]


@pytest.mark.parametrize("writes", [1, 9])
def test_flood_from_many_addresses_makes_few_rows(credential, monkeypatch, noon, writes):
    monkeypatch.setattr(writer, "MAX_ADDRESSES", 3)
    tally = Tally()
    for number in range(90):
        for username in (credential.username, "0123456789ABCDEF0123456789ABCDEF"):
            tally.add(username, f"192.0.2.{number}", Outcome.WRONG_PASSWORD, at=noon)
        if number % (90 // writes) == 0:
            tally.write()
    tally.write()
    assert logins().count(("", "wrong_password", 87)) == logins().count(("", "unknown_username", 87)) == 1
    assert len(logins()) == 2 * 4
    assert LoginDay.objects.totals()["wrong_password"] == 90


def test_names_of_addresses_beyond_the_bound_are_kept_together_too(credential, monkeypatch):
    monkeypatch.setattr(writer, "MAX_ADDRESSES", 1)
    for number in range(1, 4):
        send(credential, (f"host{number}", ""), ip=f"192.0.2.{number}")
    assert names() == {"": (["host3", "host2"], []), "192.0.2.1": (["host1"], [])}


def test_address_keeps_the_last_20_names_of_a_kind(credential):
    for first in (0, 15):
        send(credential, *((f"host{number}", "a@sl.example.com") for number in range(first, first + 15)))
    assert names() == {HOME: ([f"host{29 - number}" for number in range(MAX_NAMES)], ["a@sl.example.com"])}


def test_names_of_a_credential_deleted_before_the_write_are_dropped(credential):
    tally = Tally()
    tally.add_message(credential.username, HOME, ehlo="shop.example", mail_from="")
    credential.remove(by=SYSTEM)
    tally.write()
    assert names() == {} and logins() == []
