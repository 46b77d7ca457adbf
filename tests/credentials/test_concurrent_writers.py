"""Concurrent writers of logins, bulk acts and the deletion of a domain: none of them fails."""

import time
from contextlib import suppress
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from credentials import bulk
from credentials.models import Credential, LoginDay
from credentials.models.login_day import ALL_LOGINS
from credentials.outcome import Outcome
from credentials.usage.tally import Tally
from domains.general import actions as general
from domains.models import Domain
from tests.factories import SYSTEM, make_credential, make_domain
from tests.http import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 5


def write(credentials):
    """As a server does. What the database refuses a tally keeps for the next time; here it is raised."""
    for _ in range(TIMES):
        tally = Tally()
        for credential in credentials:
            tally.add(credential.username, "192.0.2.1", Outcome.WRONG_PASSWORD)
            tally.add(credential.username, "192.0.2.1", Outcome.ACCEPTED)
        tally.write()


def some(domain):
    return [make_credential(domain) for _ in range(20)]


def test_two_servers_that_write_in_another_order(domain):
    credentials = some(domain)
    at_once(lambda: write(credentials), lambda: write(credentials[::-1]))
    counted = LoginDay.objects.exclude(username=ALL_LOGINS).values_list("outcome", "count")
    assert set(counted) == {("accepted", 2 * TIMES), ("wrong_password", 2 * TIMES)}
    assert LoginDay.objects.totals()["accepted"] == 2 * TIMES * len(credentials)


def test_a_server_and_acts_on_many(domain):
    credentials = some(domain)
    usernames = [credential.username for credential in credentials]

    def act():
        bulk.suspend(domain, usernames, by=SYSTEM)
        bulk.remove(domain, usernames, by=SYSTEM)
        return bulk.restore(domain, usernames, by=SYSTEM)

    done = at_once(act, lambda: write(credentials[::-1]))[0]
    assert len(done.usernames) == len(credentials)


def test_a_server_and_the_end_of_a_domain(domain):
    credentials = some(domain)
    at_once(lambda: write(credentials[::-1]), lambda: general.delete(domain, by=SYSTEM))
    assert not Credential.objects.exists()


def test_logins_are_written_after_the_act_that_holds_their_domain(domain):
    credentials = some(domain)
    holding = Event()

    def hold():
        with transaction.atomic():
            list(Domain.objects.held())
            holding.set()
            time.sleep(0.5)
            return LoginDay.objects.exists()

    written_meanwhile, _ = at_once(hold, lambda: holding.wait() and write(credentials))
    assert not written_meanwhile and LoginDay.objects.exists()


@pytest.mark.parametrize(
    "act",
    [
        lambda credential: credential.reset_password(by=SYSTEM),
        lambda credential: credential.suspend(by=SYSTEM),
        lambda credential: credential.set_expiry(timezone.localdate() + timedelta(days=3), by=SYSTEM),
    ],
    ids=["reset", "suspend", "expiry"],
)
def test_an_act_on_one_and_the_end_of_its_domain(alice, act):
    def try_it(credential):
        with suppress(Credential.DoesNotExist):
            act(credential)

    for number in range(TIMES if connection.vendor == "postgresql" else 1):
        domain = make_domain(f"sl{number}.example.com", owner=alice)
        credential = make_credential(domain)
        at_once(lambda: try_it(credential), lambda: general.delete(domain, by=SYSTEM))  # noqa: B023
    assert not Credential.objects.exists()
