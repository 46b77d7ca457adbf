"""The caches that workers share: a table of the database, or Redis."""

import base64
import logging
from contextlib import contextmanager

from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.db import DatabaseError, OperationalError, connections, router
from django.utils import timezone
from redis.exceptions import RedisError

from web import plain_pickle

log = logging.getLogger(__name__)

REDIS_SECONDS = 1  # that Redis may take to answer
PAUSE_SECONDS = 10  # that it is left alone once it did not
MAX_ENTRIES = 20_000  # as in settings.py: with fewer, anybody could flush the counts
REDIS_IS_AWAY = "redis-is-away"


class CacheAway(OperationalError):
    """The table is gone or can't be asked. Whoever can't be counted is told to come again (errors.py)."""


class TableCache(DatabaseCache):
    """Django's DatabaseCache of plain values; a table that is gone is a fault of the operation, as a database
    that is away.

    Raises CacheAway.
    """

    def get_many(self, keys, version=None):
        # Instead of Django's, which runs what a row says (plain_pickle.py).
        names = {self.make_and_validate_key(key, version=version): key for key in keys}
        if not names:
            return {}
        with _told():
            rows = self._rows(list(names))
        found = {}
        for name, value in rows:
            try:
                found[names[name]] = plain_pickle.load(base64.b64decode(value))
            except (plain_pickle.NotPlain, ValueError) as error:
                log.error("The cache's row %r is not read, it counts as missing: %s", name, error)
        return found

    def _rows(self, names) -> list[tuple]:
        """Key and value of those that have not expired."""
        connection = connections[router.db_for_read(self.cache_model_class)]
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        places = ", ".join(["%s"] * len(names))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT cache_key, value FROM {connection.ops.quote_name(self._table)} "  # noqa: S608
                f"WHERE cache_key IN ({places}) AND expires >= %s",
                [*names, now],
            )
            return cursor.fetchall()

    def has_key(self, *args, **kwargs):
        with _told():
            return super().has_key(*args, **kwargs)

    def clear(self):
        with _told():
            super().clear()

    def _base_set(self, mode, key, value, *args, **kwargs):
        plain_pickle.check(value)
        with _told():
            return super()._base_set(mode, key, value, *args, **kwargs)

    def _base_delete_many(self, *args, **kwargs):
        with _told():
            return super()._base_delete_many(*args, **kwargs)


@contextmanager
def _told():
    try:
        yield
    except CacheAway:
        raise
    except DatabaseError as error:
        name = type(error).__name__
        log.error("The cache can't be asked: %s. Where its table is gone: manage.py createcachetable", name)
        raise CacheAway(name) from error


class SharedCache(RedisCache):
    """Django's RedisCache; while Redis can't be asked, each worker counts by itself.

    People go on signing in, and guessing stays limited: never open, only less strict. A sign-in asks some
    twenty times, so that Redis is left alone for ten seconds after it did not answer: where each of them
    waited, a few sign-ins would hold all threads.
    """

    def __init__(self, server, params):
        super().__init__(server, params)
        self._options |= {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
        self._options["serializer"] = plain_pickle.Serializer
        # One for all threads of a worker, by its name.
        self._own = LocMemCache(f"while {server} is away", {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}})

    def _ask(self, name, *args, **kwargs):
        if not self._own.get(REDIS_IS_AWAY):
            try:
                return getattr(super(), name)(*args, **kwargs)
            except RedisError as error:
                self._own.set(REDIS_IS_AWAY, True, PAUSE_SECONDS)
                log.error("Redis can't be asked, so this worker counts by itself: %s", type(error).__name__)
        return getattr(self._own, name)(*args, **kwargs)

    def add(self, *args, **kwargs):
        return self._ask("add", *args, **kwargs)

    def get(self, key, default=None, version=None):
        try:
            return self._ask("get", key, default, version)
        except plain_pickle.NotPlain as error:
            log.error("What Redis has for %r is not read, it counts as missing: %s", key, error)
            return default

    def set(self, *args, **kwargs):
        return self._ask("set", *args, **kwargs)

    def delete(self, *args, **kwargs):
        return self._ask("delete", *args, **kwargs)
