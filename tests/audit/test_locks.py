"""The watch over the order of locks (tests/locks.py), which runs in every test, finds violations."""

import pytest
from django.db import transaction

import audit
from audit.models import Event
from credentials import bulk
from credentials.models import Credential
from domains.models import DomainQuerySet
from tests.factories import SYSTEM, make_credential, make_domain

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def found(locks_are_in_order):
    """The violations that this test causes."""
    yield locks_are_in_order
    locks_are_in_order.clear()


def test_act_without_domain_lock_is_reported(found, credential, monkeypatch):
    monkeypatch.setattr(DomainQuerySet, "hold", lambda self, *keys: list(keys))
    credential.rename("x", by=SYSTEM)
    assert found[0].startswith(f"chain {credential.domain_id}, but not its domain")


def test_second_domain_in_one_transaction_is_reported(found, domain):
    rows = [make_credential(domain), make_credential(make_domain("other.example.com"))]
    with transaction.atomic():
        for row in rows:
            row.rename("x", by=SYSTEM)
    assert found[0].startswith(f"domain {{{rows[1].domain_id}}} is locked after")


def test_row_locked_after_chain_is_reported(found, domain, monkeypatch):
    rows = [make_credential(domain) for _ in range(2)]
    # As it was: the rows of an act on many were locked one by one.
    monkeypatch.setattr("django.db.models.QuerySet.select_for_update", lambda self, **how: self)
    with transaction.atomic():
        audit.record("x", by=SYSTEM, domain=domain)
        bulk.suspend(domain, [row.username for row in rows], by=SYSTEM)
    assert any(line.startswith("credentials_credential is locked after") for line in found)


def test_chains_in_wrong_order_are_reported(found, domain):
    other = make_domain("other.example.com")
    with transaction.atomic():
        audit.record("x", by=SYSTEM, domain=other)
        audit.record("x", by=SYSTEM, domain=domain)
        audit.record("x", by=SYSTEM)
    assert [line.partition(" is ")[0] for line in found] == [f"chain {domain.pk}", "chain 0"]


def test_ordered_acts_are_not_reported(locks_are_in_order, domain):
    rows = [make_credential(domain) for _ in range(2)]
    usernames = [row.username for row in rows]
    bulk.suspend(domain, usernames, by=SYSTEM)
    bulk.remove(domain, usernames, by=SYSTEM)
    bulk.restore(domain, usernames, by=SYSTEM)
    assert Credential.objects.count() == 2 and Event.objects.filter(tag="credential.restored").count() == 2
    assert locks_are_in_order == []
