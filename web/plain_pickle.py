"""Plain values in the shared cache: numbers, text, and lists, tuples and dicts of them.

Django pickles cached values, and unpickling calls any function that a pickle names. Pickles that name one are
refused here: write access to the cache's table or its Redis must not run code in the dashboard.
"""

import io
import pickle

from django.core.cache.backends.redis import RedisSerializer


class NotPlain(Exception):
    """A value that is not plain; str() says why."""


class _PlainUnpickler(pickle.Unpickler):  # noqa: S301  (it refuses every name)
    def find_class(self, module, name):
        """Refuse every class and function (Python's manual, "Restricting Globals")."""
        raise NotPlain(f"it names {module}.{name}")


def load(raw: bytes):
    """Return the value of a pickle. Raises NotPlain."""
    try:
        return _PlainUnpickler(io.BytesIO(raw)).load()
    except NotPlain:
        raise
    except Exception as error:  # bytes that are no pickle raise anything
        raise NotPlain(type(error).__name__) from None


def check(value) -> None:
    """Raise NotPlain for a value that `load` would refuse and that would then count as missing."""
    load(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


class Serializer(RedisSerializer):
    """Django's serializer for Redis, for plain values only."""

    def dumps(self, value):
        check(value)
        return super().dumps(value)

    def loads(self, data):
        try:
            return int(data)
        except ValueError:
            return load(data)
