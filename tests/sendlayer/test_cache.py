"""What a worker counts with while Redis is away."""

import pytest
from django.test import Client

from sendlayer.cache import SharedCache
from tests.factories import PASSWORD
from tests.http import text
from tests.servers import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def nobody():
    return f"redis://127.0.0.1:{free_port()}/0"


def test_it_counts_by_itself(nobody, caplog):
    cache = SharedCache(nobody, {})
    assert cache.add("key", [1]) and not cache.add("key", [2])
    assert cache.get("key") == [1]
    cache.set("key", [3])
    assert cache.get("key") == [3]
    cache.delete("key")
    assert cache.get("key", "none") == "none"
    assert "Redis can't be asked" in caplog.text


def test_people_sign_in_and_guessing_stays_limited(nobody, settings, alice, bob):
    settings.CACHES = {"default": {"BACKEND": "sendlayer.cache.SharedCache", "LOCATION": nobody}}
    names = {"login": bob.email, "password": PASSWORD}
    assert Client().post("/login/", names).status_code == 302
    for _ in range(6):
        page = text(Client().post("/login/", {"login": alice.email, "password": "not-the-password"}))
    assert "Too many failed login attempts" in page
