"""What is kept in a shared cache is plain: numbers, text, and lists, tuples and dicts of them.

Django pickles what it caches, and reading a pickle calls whatever function it names. A pickle that names
any is not read here, so that whoever can write the cache's table or its Redis runs nothing in the dashboard.
"""

import io
import pickle

from django.core.cache.backends.redis import RedisSerializer


class NotPlain(Exception):
    """It is no plain value; str() says why."""


class _PlainUnpickler(pickle.Unpickler):  # noqa: S301  (it can't name anything)
    def find_class(self, module, name):
        """Where a pickle gets every class and function from ("Restricting Globals" of Python's manual)."""
        raise NotPlain(f"it names {module}.{name}")


def load(raw: bytes):
    """Return the value of a pickle. Raises NotPlain."""
    try:
        return _PlainUnpickler(io.BytesIO(raw)).load()
    except NotPlain:
        raise
    except Exception as error:  # whatever bytes that are no pickle lead to
        raise NotPlain(type(error).__name__) from None


def check(value) -> None:
    """Raise NotPlain for a value that `load` would not give back: else it would count as missing later on."""
    load(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


class Serializer(RedisSerializer):
    """Django's for Redis, of plain values alone."""

    def dumps(self, value):
        check(value)
        return super().dumps(value)

    def loads(self, data):
        try:
            return int(data)
        except ValueError:
            return load(data)
