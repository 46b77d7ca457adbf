"""A table of the database as the cache that workers share."""

import base64
import logging
from contextlib import contextmanager

from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError, OperationalError, connections, router
from django.utils import timezone

from web import plain_pickle

log = logging.getLogger(__name__)


class CacheAway(OperationalError):
    """The table is gone or can't be asked. Whoever can't be counted is told to come again (errors.py)."""


class TableCache(DatabaseCache):
    """Django's DatabaseCache of plain values; a table that is gone is a fault of the operation, as a database
    that is away.

    Raises CacheAway.
    """

    def get_many(self, keys, version=None):
        # Instead of Django's, which runs what a row says (plain_values.py).
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
