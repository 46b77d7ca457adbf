"""Redis as the cache that workers share, and what to do while it is away."""

import logging

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

from web.plain_pickle import NotPlain, Serializer

log = logging.getLogger(__name__)
SECONDS = 1
PAUSE_SECONDS = 10
MAX_ENTRIES = 20_000  # as in settings.py: with fewer, anybody could flush the counts
AWAY = "redis-is-away"


class SharedCache(RedisCache):
    """Django's RedisCache; while Redis can't be asked, each worker counts by itself.

    People go on signing in, and guessing stays limited: never open, only less strict. A sign-in asks some
    twenty times, so that Redis is left alone for ten seconds after it did not answer: where each of them
    waited, a few sign-ins would hold all threads.
    """

    def __init__(self, server, params):
        super().__init__(server, params)
        self._options |= {"socket_connect_timeout": SECONDS, "socket_timeout": SECONDS}
        self._options["serializer"] = Serializer
        # One for all threads of a worker, by its name.
        self._own = LocMemCache(f"while {server} is away", {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}})

    def _ask(self, name, *args, **kwargs):
        if not self._own.get(AWAY):
            try:
                return getattr(super(), name)(*args, **kwargs)
            except RedisError as error:
                self._own.set(AWAY, True, PAUSE_SECONDS)
                log.error("Redis can't be asked, so this worker counts by itself: %s", type(error).__name__)
        return getattr(self._own, name)(*args, **kwargs)

    def add(self, *args, **kwargs):
        return self._ask("add", *args, **kwargs)

    def get(self, key, default=None, version=None):
        try:
            return self._ask("get", key, default, version)
        except NotPlain as error:
            log.error("What Redis has for %r is not read, it counts as missing: %s", key, error)
            return default

    def set(self, *args, **kwargs):
        return self._ask("set", *args, **kwargs)

    def delete(self, *args, **kwargs):
        return self._ask("delete", *args, **kwargs)
