"""The caches that workers share: a table of the database, or Redis."""

import base64
import logging
from contextlib import contextmanager

from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.db import DatabaseError, OperationalError, connections, router
from django.utils import timezone

from web import plain_pickle

log = logging.getLogger(__name__)

REDIS_SECONDS = 1  # timeout of a query
PAUSE_SECONDS = 10  # without queries after a timeout
MAX_ENTRIES = 20_000  # as in settings.py: with fewer, anyone could flush the counts
REDIS_IS_AWAY = "redis-is-away"


class CacheAway(OperationalError):
    """The table is gone or can't be queried. Requests that can't be counted get a 503 (errors.py)."""


class TableCache(DatabaseCache):
    """Django's DatabaseCache, of plain values.

    Raises CacheAway: a missing table counts as a database that is away.
    """

    def get_many(self, keys, version=None):
        # Django's own unpickles rows, which can run code (plain_pickle.py).
        names = {self.make_and_validate_key(key, version=version): key for key in keys}
        if not names:
            return {}
        with _as_cache_away():
            rows = self._rows(list(names))
        found = {}
        for name, value in rows:
            try:
                found[names[name]] = plain_pickle.load(base64.b64decode(value))
            except (plain_pickle.NotPlain, ValueError) as error:
                log.error("Row %r of the cache can't be read and counts as missing: %s", name, error)
        return found

    def _rows(self, names) -> list[tuple]:
        """Return key and value of those that have not expired."""
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
        with _as_cache_away():
            return super().has_key(*args, **kwargs)

    def clear(self):
        with _as_cache_away():
            super().clear()

    def _base_set(self, mode, key, value, *args, **kwargs):
        plain_pickle.check(value)
        with _as_cache_away():
            return super()._base_set(mode, key, value, *args, **kwargs)

    def _base_delete_many(self, *args, **kwargs):
        with _as_cache_away():
            return super()._base_delete_many(*args, **kwargs)


@contextmanager
def _as_cache_away():
    try:
        yield
    except CacheAway:
        raise
    except DatabaseError as error:
        name = type(error).__name__
        log.error("The cache can't be reached: %s. If its table is missing: manage.py createcachetable", name)
        raise CacheAway(name) from error


class SharedCache(RedisCache):
    """Django's RedisCache; while Redis is away, each worker counts alone.

    Users can still sign in, and guessing stays limited, only less strictly. A sign-in makes some 20 queries:
    if each of them waited for Redis, a few sign-ins would hold all threads. So Redis is not asked for
    10 seconds after a timeout.
    """

    def __init__(self, server, params):
        super().__init__(server, params)
        self._options |= {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
        self._options["serializer"] = plain_pickle.Serializer
        # Shared by all threads of a worker, by its name.
        self._own = LocMemCache(f"while {server} is away", {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}})

    def is_away(self) -> bool:
        """Whether this worker counts alone for now."""
        return bool(self._own.get(REDIS_IS_AWAY))

    def _ask(self, name, *args, **kwargs):
        # Here: most sites have no Redis, and its client would be a sixth of what each process loads.
        from redis.exceptions import RedisError

        if not self._own.get(REDIS_IS_AWAY):
            try:
                return getattr(super(), name)(*args, **kwargs)
            except RedisError as error:
                self._own.set(REDIS_IS_AWAY, True, PAUSE_SECONDS)
                log.error("Redis can't be reached, so this worker counts alone: %s", type(error).__name__)
        return getattr(self._own, name)(*args, **kwargs)

    def add(self, *args, **kwargs):
        return self._ask("add", *args, **kwargs)

    def get(self, key, default=None, version=None):
        try:
            return self._ask("get", key, default, version)
        except plain_pickle.NotPlain as error:
            log.error("The value of %r in Redis can't be read and counts as missing: %s", key, error)
            return default

    def set(self, *args, **kwargs):
        return self._ask("set", *args, **kwargs)

    def delete(self, *args, **kwargs):
        return self._ask("delete", *args, **kwargs)
