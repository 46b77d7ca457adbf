"""The limit on passwords that a user may open."""

import pytest
from django.core.cache import cache

from audit.models import Event
from credentials.views import rate_limits
from tests.factories import password_of
from tests.http import sign_in, smtp_url, text

pytestmark = pytest.mark.django_db

AS_TEXT = {"headers": {"Accept": "text/plain"}}


@pytest.fixture(autouse=True)
def two_passwords(monkeypatch):
    monkeypatch.setitem(rate_limits.PASSWORD_RATES, "open", "2/10m/user")


def test_show_and_copy_share_a_limit_beyond_which_nothing_is_opened(as_alice, credential):
    assert as_alice.post(smtp_url(credential, "reveal"), **AS_TEXT).status_code == 200
    assert as_alice.post(smtp_url(credential, "copy"), **AS_TEXT).status_code == 200
    events = Event.objects.count()
    for act in ("reveal", "copy"):
        for options in (AS_TEXT, {}, {"headers": {"HX-Request": "true"}}):
            response = as_alice.post(smtp_url(credential, act), **options)
            assert response.status_code == 429 and "60 passwords" in text(response)
            assert password_of(credential) not in text(response)
    assert Event.objects.count() == events


def test_password_limit_counts_no_questions_and_no_other_users_or_acts(as_alice, credential, bob, client):
    for _ in range(3):
        assert as_alice.get(smtp_url(credential, "reveal")).status_code == 200
    for _ in range(3):
        as_alice.post(smtp_url(credential, "copy"), **AS_TEXT)
    assert as_alice.post(smtp_url(credential, "reset"), {"seen": "x"}).status_code != 429
    credential.domain.memberships.filter(user=bob).update(role="manager")
    assert sign_in(client, bob).post(smtp_url(credential, "copy"), **AS_TEXT).status_code == 200


def test_emptied_cache_resets_only_the_password_limit(as_alice, credential):
    for _ in range(3):
        as_alice.post(smtp_url(credential, "copy"), **AS_TEXT)
    cache.clear()
    assert as_alice.post(smtp_url(credential, "copy"), **AS_TEXT).status_code == 200
