"""Fixtures of offboarding; its helpers are in tests/credentials/leaving.py."""

import pytest

from domains.models import Membership
from tests.credentials.leaving import learn
from tests.factories import make_credential, make_domain


@pytest.fixture
def shop(alice, bob):
    """shop.example.com of Alice, with Bob as its manager."""
    shop = make_domain("shop.example.com", owner=alice)
    shop.memberships.create(user=bob, role="manager")
    return shop


@pytest.fixture
def known(domain, shop, bob):
    """Three credentials whose passwords Bob knows: two of sl.example.com, one of shop.example.com."""
    Membership.objects.filter(user=bob).update(role="manager")
    rows = [make_credential(domain, label="A"), make_credential(domain, label="B")]
    rows.append(make_credential(shop, label="C"))
    for row in rows:
        learn(row, bob)
    return rows
