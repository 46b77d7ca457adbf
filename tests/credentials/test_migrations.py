"""Logins that the five tables of before counted show on the same pages after an upgrade."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from credentials.models import Credential, DeletedCredential, LoginDay, RefusedLogins
from tests.credentials.test_clients import plain
from tests.factories import SYSTEM, make_credential
from tests.http import smtp_url, text
from web import bar_chart

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = ("credentials", "0006_login_total")
HOME, OFFICE, OLD_SERVER, GUESSER = "203.0.113.7", "2001:db8::7", "192.0.2.140", "198.51.100.9"
RESET_AT = datetime(2022, 4, 11, tzinfo=UTC)


class Before:
    """The five tables as they were; times are in minutes before `now`."""

    def __init__(self, apps, domain, now):
        self._apps, self._domain, self._now = apps, domain, now

    def add(self, model, minutes=0, *, first=None, **fields):
        model, at = self._apps.get_model("credentials", model), self._now - timedelta(minutes=minutes)
        names = {field.name for field in model._meta.fields}
        known = {"day": at.date(), "last_at": at, "domain_id": self._domain.pk}
        known["first_at"] = self._now - timedelta(minutes=first or minutes)
        columns = {name: value for name, value in known.items() if name.removesuffix("_id") in names}
        return model.objects.create(**columns | fields)


@pytest.fixture
def before(domain):
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    try:
        yield Before(executor.migrate([BEFORE]).apps, domain, timezone.now())
    finally:
        MigrationExecutor(connection).migrate(leaves)


def upgrade():
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.fixture
def credential(domain):
    return make_credential(domain, label="Shop")


@pytest.fixture
def page(as_alice, credential):
    """A page as a person reads it; the ones of the credential by the name of their act."""

    def read(act=None):
        path = smtp_url(credential, act) if act else f"/domains/{credential.domain.name}/"
        return plain(text(as_alice.get(path))).replace(" .", ".").replace(" )", ")")

    return read


DAY = 24 * 60


def test_clients_chart_and_names_are_the_same_after_an_upgrade(before, credential, page):
    client = {"username": credential.username}
    before.add("ClientDay", 1, first=90, ip=HOME, accepted=12, refused=3, last_cause="wrong_password", **client)
    before.add("ClientDay", 20 * DAY, ip=HOME, accepted=100, **client)
    before.add("ClientDay", 40, ip=OFFICE, refused=5, last_cause="network_not_allowed", **client)
    before.add("ClientDay", 3 * DAY, ip="", accepted=7, refused=2, last_cause="expired", **client)
    for minutes, name in ((9, "host-b"), (2, "host-d"), (4, "host-c"), (20, "host-a")):
        before.add("ClientName", minutes, ip=HOME, kind="ehlo", name=name, count=3, **client)
    before.add("ClientName", 2, ip=HOME, kind="mail_from", name="info@sl.example.com", count=9, **client)
    upgrade()
    clients = page("page")
    chart = "119 logins accepted and 10 refused in the last 30 days"
    for shown in (clients, page()):
        assert re.search(r"Show as table .* 12 8 .* 7 2 .* 100 0 Days without", shown)
    assert chart in text_of_chart(credential)
    names = "EHLO host-d , host-c , host-b and 1 more MAIL FROM info@sl.example.com"
    assert f"{HOME} {names} 112 accepted 3 refused, last: wrong password 1 minute ago" in clients
    assert f"{OFFICE} 0 accepted 5 refused, last: network not allowed 40 minutes ago" in clients
    assert re.search(r"Other addresses 7 accepted 2 refused, last: expired \w{3} \d", clients)


def text_of_chart(credential):
    now = timezone.now()
    days = LoginDay.objects.filter(username=credential.username).recent(now).by_day()
    return bar_chart.of_logins(days, until=now.date()).summary


def test_causes_of_refusals_are_the_same_after_an_upgrade(before, credential, page):
    owned = {"credential_id": credential.pk}
    client = {"username": credential.username}
    before.add("ClientDay", 5, ip=HOME, refused=3, last_cause="wrong_password", **client)
    before.add("ClientDay", 30, ip=OFFICE, refused=5, last_cause="network_not_allowed", **client)
    before.add("RefusedLogins", 5, cause="wrong_password", count=4, last_ip=HOME, **owned)
    before.add("RefusedLogins", 30, cause="network_not_allowed", count=4, last_ip=OFFICE, **owned)
    before.add("RefusedLogins", 3 * DAY, cause="expired", count=2, **owned)
    before.add("RefusedLogins", 40 * DAY, cause="suspended", count=9, last_ip=HOME, **owned)
    before.add("RefusedLogins", 7, cause="unknown_username", count=40, last_ip=GUESSER, credential_id=None)
    upgrade()
    refused = page("page")
    assert f"Wrong password 4 times Last 5 minutes ago from {HOME}" in refused
    assert f"Network not allowed 4 times Last 30 minutes ago from {OFFICE}" in refused
    assert re.search(r"Expired 2 times Last \w{3} \d+, \d{4} Its", refused) and "Suspended" not in refused
    overview = page()
    assert f"4 logins refused since yesterday (wrong password), the last 5 minutes ago from {HOME}." in overview
    clients = page("page")
    assert "0 accepted 3 refused, last: wrong password" in clients
    assert "0 accepted 5 refused, last: network not allowed" in clients
    unknown = RefusedLogins.objects.get(username="")
    assert (unknown.count, unknown.ip, unknown.outcome) == (40, GUESSER, "unknown_username")


def test_tries_of_retired_passwords_are_the_same_after_an_upgrade(before, credential, page):
    client = {"username": credential.username, "ip": OLD_SERVER}
    reset = before.add("RetiredPassword", why="reset", digest="a", since=RESET_AT, username=credential.username)
    deleted = before.add(
        "RetiredPassword", why="deleted", label="Blog", since=timezone.now(), username="A" * 32
    )
    for minutes, refused in ((2, 4), (DAY, 6)):
        before.add("ClientDay", minutes, refused=refused, last_cause="old_password", **client)
        counted = {"cause": "old_password", "count": refused, "last_ip": OLD_SERVER}
        before.add("RefusedLogins", minutes, credential_id=credential.pk, **counted)
    before.add("RetiredTry", 2, first=DAY, password_id=reset.pk, ip=OLD_SERVER, count=10)
    before.add("RetiredTry", 3, password_id=deleted.pk, ip=GUESSER, count=5)
    before.add("RetiredTry", 3, password_id=deleted.pk + 1, ip=GUESSER, count=5)  # of one that is gone
    before.add("RefusedLogins", 3, cause="unknown_username", count=7, credential_id=None)
    upgrade()
    overview, told = page(), "still tries the password that was reset on Apr 11, 2022"
    assert f"{OLD_SERVER} {told} (10 times, last 2 minutes ago)." in overview
    assert (
        f"{GUESSER} still tries the deleted SMTP user Blog AAAAAAAA… (5 times, last 3 minutes ago)" in overview
    )
    assert f"{OLD_SERVER} Reset on Apr 11, 2022 10 2 minutes ago" in page("page")
    assert "Old password 10 times Last 2 minutes ago" in page("page")
    unknown = RefusedLogins.objects.filter(outcome="unknown_username").order_by("count")
    assert list(unknown.values_list("username", "count")) == [("", 2), ("A" * 32, 5)]
    assert text_of_chart(credential) == "0 logins accepted and 10 refused in the last 30 days"


def test_totals_for_a_monitor_are_the_same_after_an_upgrade(before):
    for outcome, count in (("accepted", 3_000_000_000), ("uncounted", 2)):
        before.add("LoginTotal", outcome=outcome, count=count)
    upgrade()
    totals = LoginDay.objects.totals()
    assert (totals["accepted"], totals["uncounted"], totals["expired"]) == (3_000_000_000, 2, 0)


def test_refusals_of_a_deleted_credential_come_back_with_it_after_an_upgrade(before, credential, page):
    counted = {"cause": "expired", "count": 2, "last_ip": HOME}
    before.add("RefusedLogins", 5, credential_id=credential.pk, **counted)
    before.add("RefusedLogins", 5, credential_id=credential.pk + 1, **counted)  # of one that is gone
    delete(credential)
    upgrade()
    credential.domain.deleted_credentials.get().restore(by=SYSTEM)
    assert f"Expired 2 times Last 5 minutes ago from {HOME}" in page("page")
    credential.refresh_from_db()
    assert (credential.last_refused_ip, credential.last_refused_cause) == (HOME, "expired")


def delete(credential):
    """Without the tables of now, which are not there yet."""
    Credential.objects.filter(pk=credential.pk)._raw_delete("default")
    DeletedCredential.objects.keep(credential, by=SYSTEM, now=timezone.now())
