"""Acts on many rows and acts on one of them, at once and through the front door: none waits for ever.

PostgreSQL ends a circle of waiting transactions by failing one, which is answered by 503. That there
is no circle at all follows from one order of locks (audit/locks.py), which tests/locks.py watches.
"""

import itertools
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from credentials.models import Credential
from domains.models import Domain
from tests.audit.tampering import verify
from tests.factories import make_credential, make_domain, make_user
from tests.http import at_once, sign_in, smtp_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
ROUNDS = 3
ROWS = 12
HTMX = {"HX-Request": "true"}


class Crowd:
    """People of one domain who act at once; `statuses` are what they were answered."""

    def __init__(self, domain, owner, second):
        self.domain, self.owner, self.second = domain, owner, second
        self.rows = [make_credential(domain, label=f"Site {number}") for number in range(ROWS)]
        self.statuses = []

    def client(self, user=None):
        return sign_in(Client(raise_request_exception=False), user or self.owner)

    def post(self, client, url, fields=None):
        self.statuses.append(client.post(url, fields or {}, headers=HTMX).status_code)

    def of_many(self, *acts):
        """Suspend, delete and restore all of them, in one act each."""
        client, fields = self.client(), {"username": [row.username for row in self.rows], "sure": "on"}
        for act in acts:
            where = "deleted/restore" if act == "restore" else f"chosen/{act}"
            self.post(client, f"{smtp_url(self.domain)}{where}/", fields)

    def of_one(self, *acts):
        """Act on the rows from the last to the first, each with the next of the acts."""
        client, acts = self.client(self.second), itertools.cycle(acts)
        for number, row in enumerate(reversed(self.rows)):
            act = next(acts)
            fields = {
                "label": f"New {number}",
                "networks": f"192.0.2.{number}",
                "day": timezone.localdate() + timedelta(days=number + 1),
                "sure": "on",
            }
            if act == "undo":
                self.post(client, f"{smtp_url(self.domain)}deleted/restore/", {"username": row.username})
            else:
                self.post(client, smtp_url(row, act), fields)

    def members(self):
        """Change a role, invite and rename."""
        client, name = self.client(), self.domain.name
        bob = self.domain.memberships.get(role="viewer").public_id
        for number in range(3):
            for role in ("manager", "viewer"):
                self.post(client, reverse("domains:change_role", args=[name, bob]), {"role": role})
            fields = {"emails": f"max{number}@example.org", "role": "viewer"}
            self.post(client, reverse("domains:invite", args=[name]), fields)
            self.post(client, reverse("domains:rename", args=[name]), {"title": f"Title {number}"})

    def support(self, staff):
        """Suspend and resume the domain, and a few of its SMTP users, in the admin."""
        client, few = self.client(staff), [row.pk for row in self.rows[-4:]]
        for act in ("suspend", "resume"):
            for url, keys in (("domains/domain", [self.domain.pk]), ("credentials/credential", few)):
                fields = {"action": act, "_selected_action": keys, "reason": "A test."}
                self.post(client, f"/admin/{url}/", fields)

    def end(self):
        """Delete the domain in the midst of what the others do; while support has it suspended, it stays."""
        client, url = self.client(), reverse("domains:delete", args=[self.domain.name])
        for _ in range(20):
            time.sleep(0.5)
            self.post(client, url, {"name": self.domain.name})
            if not Domain.objects.filter(pk=self.domain.pk).exists():
                break


@pytest.fixture
def staff(db):
    staff = make_user("staff@example.com", is_staff=True)
    staff.user_permissions.set(Permission.objects.all())
    return staff


@pytest.fixture
def crowds(alice, bob):
    """A crowd for each round, in a domain of its own."""
    second = make_user("second@example.com")

    def make(number):
        domain = make_domain(f"sl{number}.example.com", owner=alice)
        domain.memberships.create(user=bob, role="viewer")
        domain.memberships.create(user=second, role="manager")
        return Crowd(domain, alice, second)

    return map(make, range(ROUNDS))


def deadlocks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot(), pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def served(crowds, *stories):
    """Let each crowd live its stories at once; return how often each status was answered."""
    before, statuses = deadlocks(), []
    for crowd in crowds:
        at_once(*(lambda story=story, crowd=crowd: story(crowd) for story in stories))
        statuses += crowd.statuses
    failed = [status for status in statuses if status >= 500]
    assert (len(failed), deadlocks() - before) == (0, 0), f"of {len(statuses)}"
    assert verify().faults == []
    return statuses


def test_many_are_suspended_deleted_and_restored_beside_edits_of_one(crowds):
    statuses = served(
        crowds,
        lambda crowd: crowd.of_many("suspend", "delete", "restore"),
        lambda crowd: crowd.of_one("label", "networks", "expiry", "reset"),
    )
    assert statuses.count(200) >= 4 * ROUNDS


def test_many_are_deleted_and_restored_beside_deletion_and_undo_of_one(crowds):
    served(
        crowds,
        lambda crowd: crowd.of_many("delete", "restore"),
        lambda crowd: crowd.of_one("suspend", "resume", "reset", "delete", "undo"),
    )


def test_two_acts_on_many_members_and_support_at_once(crowds, staff):
    statuses = served(
        crowds,
        lambda crowd: crowd.of_many("suspend", "delete", "restore"),
        lambda crowd: crowd.of_many("delete", "restore", "suspend"),
        lambda crowd: crowd.of_one("label", "reset", "expiry"),
        lambda crowd: crowd.support(staff),
        Crowd.members,
    )
    assert statuses.count(200) + statuses.count(302) >= 10 * ROUNDS


def test_a_domain_ends_amid_all_of_it(crowds, staff):
    served(
        crowds,
        lambda crowd: crowd.of_many("suspend", "delete", "restore"),
        lambda crowd: crowd.of_one("label", "delete", "undo"),
        lambda crowd: crowd.support(staff),
        Crowd.end,
        Crowd.members,
    )
    assert not Domain.objects.exists() and not Credential.objects.exists()
