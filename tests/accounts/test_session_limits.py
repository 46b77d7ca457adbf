"""A session ends after 12 hours without use, and 7 days after its sign-in in any case."""

import time
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from tests.http import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(client, alice, monkeypatch):
    """Visit a page some hours after the sign-in; return whether Alice is still signed in."""
    sign_in(client, alice)
    now = time.time()

    def visit(hours):
        monkeypatch.setattr("accounts.sessions.expiry.time.time", lambda: now + hours * 3600)
        return client.get("/domains/").status_code == 200

    return visit


def test_session_ends_after_12_hours_without_use(visit):
    assert visit(11.9) and visit(23.7)
    assert not visit(36) and not visit(24)
    assert not Session.objects.exists()


def test_session_ends_after_7_days_of_use(visit):
    assert all(visit(hours) for hours in range(0, 7 * 24, 6))
    assert not visit(7 * 24 + 0.1)


def test_session_use_is_recorded_once_an_hour(visit, django_assert_num_queries):
    for hours, queries in ((0.5, 3), (1.1, 6), (1.2, 3), (2.0, 3), (2.2, 6)):
        # Session, user, domains; the session in a transaction.
        with django_assert_num_queries(queries):
            assert visit(hours)


def test_confirmation_is_a_use_but_not_a_new_sign_in(client, alice, visit):
    records = "account_authentication_methods"
    sign_in(client, alice, ago=timedelta(days=6, hours=23))
    session = client.session
    session[records] = [*session[records], {"method": "password", "at": time.time(), "reauthenticated": True}]
    session.save()
    assert visit(0.5) and not visit(1.5)
