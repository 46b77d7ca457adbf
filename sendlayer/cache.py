"""Redis as the cache that workers share, and what to do while it is away."""

import logging

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
SECONDS = 1


class SharedCache(RedisCache):
    """Django's RedisCache; while Redis can't be asked, each worker counts by itself.

    People go on signing in, and guessing stays limited: never open, only less strict.
    """

    def __init__(self, server, params):
        super().__init__(server, params)
        self._options |= {"socket_connect_timeout": SECONDS, "socket_timeout": SECONDS}
        self._own = LocMemCache("while Redis is away", {})

    def _ask(self, name, *args, **kwargs):
        try:
            return getattr(super(), name)(*args, **kwargs)
        except RedisError as error:
            log.error("Redis can't be asked, so this worker counts by itself: %s", type(error).__name__)
            return getattr(self._own, name)(*args, **kwargs)

    def add(self, *args, **kwargs):
        return self._ask("add", *args, **kwargs)

    def get(self, *args, **kwargs):
        return self._ask("get", *args, **kwargs)

    def set(self, *args, **kwargs):
        return self._ask("set", *args, **kwargs)

    def delete(self, *args, **kwargs):
        return self._ask("delete", *args, **kwargs)
