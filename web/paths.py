"""Paths of pages, remembered: to build one takes Django as long as it takes the database to find a row."""

from functools import lru_cache

from django.urls import reverse


@lru_cache(maxsize=2048)
def path_of(route: str, *args: str) -> str:
    """Return the path of a route, as `django.urls.reverse`."""
    return reverse(route, args=args)
