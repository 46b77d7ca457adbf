"""Rate limits while Redis is away, and while the cache's table is missing."""

import socket
import time
from contextlib import contextmanager

import pytest
from django.conf import settings as project
from django.db import connection
from django.test import Client

from tests.factories import PASSWORD
from tests.http import smtp_url, text
from tests.servers import free_port
from web.caches import SharedCache

pytestmark = pytest.mark.django_db


@pytest.fixture
def nobody():
    return f"redis://127.0.0.1:{free_port()}/0"


def test_worker_counts_alone_while_redis_is_away(nobody, caplog):
    cache = SharedCache(nobody, {})
    assert cache.add("key", [1]) and not cache.add("key", [2])
    assert cache.get("key") == [1]
    cache.set("key", [3])
    assert cache.get("key") == [3]
    cache.delete("key")
    assert cache.get("key", "none") == "none"
    assert "Redis can't be reached" in caplog.text and cache.is_away()


def test_sign_in_works_and_guesses_stay_limited_while_redis_is_away(nobody, settings, alice, bob):
    settings.CACHES = {"default": {"BACKEND": "web.caches.SharedCache", "LOCATION": nobody}}
    names = {"login": bob.email, "password": PASSWORD}
    assert Client().post("/login/", names).status_code == 302
    for _ in range(6):
        page = text(Client().post("/login/", {"login": alice.email, "password": "not-the-password"}))
    assert "Too many failed login attempts" in page


def test_silent_redis_is_waited_for_once():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = SharedCache(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", {})
        start = time.monotonic()
        for number in range(20):
            cache.set(f"key-{number}", number)
        assert time.monotonic() - start < 10  # 20 would wait for a second each
        assert cache.get("key-0") == 0


def test_workers_own_counts_survive_many_names(nobody):
    cache = SharedCache(nobody, {})
    for number in range(1000):
        cache.set(f"name-{number}", [1])
    assert cache.get("name-0") == [1]


@contextmanager
def without_its_table():
    table = project.CACHES["default"]["LOCATION"]
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


@pytest.mark.django_db(transaction=True)
def test_missing_cache_table_stops_guesses_but_not_signed_in_users(as_alice, domain, credential):
    visitor = Client(raise_request_exception=False)
    with without_its_table():
        as_alice.raise_request_exception = False
        for refused in (
            visitor.post("/login/", {"login": "alice@example.com", "password": PASSWORD}),
            as_alice.post(smtp_url(credential, "copy")),
        ):
            assert (refused.status_code, refused["Retry-After"]) == (503, "5")
        assert as_alice.get(smtp_url(domain)).status_code == 200
        ready = visitor.get("/readyz")
        assert ready.status_code == 503 and ready.json()["reason"] == "cache"
    assert visitor.get("/readyz").status_code == 200
    assert visitor.post("/login/", {"login": "alice@example.com", "password": PASSWORD}).status_code == 302
