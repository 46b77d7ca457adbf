"""A table of the database as the cache that workers share."""

import logging
from contextlib import contextmanager

from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError, OperationalError

log = logging.getLogger(__name__)


class CacheAway(OperationalError):
    """The table is gone or can't be asked. Whoever can't be counted is told to come again (errors.py)."""


class TableCache(DatabaseCache):
    """Django's DatabaseCache; a table that is gone is a fault of the operation, as a database that is away.

    Raises CacheAway.
    """

    def get_many(self, *args, **kwargs):
        with _told():
            return super().get_many(*args, **kwargs)

    def has_key(self, *args, **kwargs):
        with _told():
            return super().has_key(*args, **kwargs)

    def clear(self):
        with _told():
            super().clear()

    def _base_set(self, *args, **kwargs):
        with _told():
            return super()._base_set(*args, **kwargs)

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
