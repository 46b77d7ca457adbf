"""Write access to the shared cache runs no code in the dashboard."""

import base64
import os
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as project
from django.core.cache import cache
from django.db import connection
from django.test import Client
from redis import Redis

from tests.accounts.test_throttle import redis_server
from tests.factories import PASSWORD
from web.caches import SharedCache
from web.plain_pickle import NotPlain

pytestmark = pytest.mark.django_db

PLAIN = [True, 7, 1.5, "text", None, [1.5, 2.5], {"a": [1]}, ({"acts": {"x": 1}, "oldest": None}, 3.5), ""]


class Order:
    """A value whose pickle creates a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def forge_rows(raw: bytes):
    """Replace every value of the cache's table by a pickle."""
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(project.CACHES["default"]["LOCATION"])
        cursor.execute(f"UPDATE {table} SET value = %s", [base64.b64encode(raw).decode()])  # noqa: S608


@pytest.mark.parametrize("value", PLAIN)
def test_table_cache_returns_stored_values(value):
    cache.set("key", value)
    assert cache.get("key", "missing") == value
    assert cache.get_many(["key", "other"]) == {"key": value}


def test_table_cache_refuses_values_that_are_not_plain():
    for value in (datetime.now(UTC), Order("x")):
        with pytest.raises(NotPlain):
            cache.set("key", value)
        with pytest.raises(NotPlain):
            cache.add("key", value)
    assert cache.get("key") is None


def test_expired_value_is_missing_and_can_be_added_again():
    cache.set("key", 1, 60)
    assert cache.get("key") == 1
    with connection.cursor() as cursor:
        past = connection.ops.adapt_datetimefield_value(datetime.now(UTC) - timedelta(minutes=1))
        table = project.CACHES["default"]["LOCATION"]
        cursor.execute(f"UPDATE {table} SET expires = %s", [past])  # noqa: S608
    assert cache.get("key") is None
    assert cache.add("key", 2) and cache.get("key") == 2


def test_forged_cache_row_runs_no_code_and_users_sign_in(tmp_path, alice, caplog):
    names = {"login": alice.email, "password": "not-the-password"}
    assert Client().post("/login/", names).status_code == 200  # writes rows that the next request reads
    forge_rows(pickle.dumps(Order(tmp_path / "made")))
    assert Client().post("/login/", names | {"password": PASSWORD}).status_code == 302
    assert not (tmp_path / "made").exists()
    assert "can't be read and counts as missing: it names" in caplog.text


@pytest.mark.parametrize("raw", [b"", b"x", b"\x80\x05.", pickle.dumps(os.system), b"cos\nsystem\n."])
def test_cache_row_that_is_not_plain_counts_as_missing(raw, caplog):
    cache.set("key", 1)
    forge_rows(raw)
    assert cache.get("key", "missing") == "missing"
    assert "counts as missing" in caplog.text


@pytest.mark.one_database
def test_redis_cache_reads_plain_values_only(tmp_path, caplog):
    with redis_server(tmp_path) as url:
        shared = SharedCache(url, {})
        for value in PLAIN:
            shared.set("key", value)
            assert shared.get("key", "missing") == value
        with pytest.raises(NotPlain):
            shared.set("key", Order("x"))
        for raw in (pickle.dumps(Order(tmp_path / "made")), b"\x80"):
            Redis.from_url(url).set(shared.make_key("key"), raw)
            assert shared.get("key", "missing") == "missing"
    assert not (tmp_path / "made").exists()
    assert "can't be read and counts as missing" in caplog.text
