"""Shared steps of every server process at start: the tag of its checks, closing of connections."""

from collections.abc import Callable

from django.db import connections

START = "sendlayer"  # the tag of the system checks that run before any request is served


def close_connections() -> None:
    """Close the connections of the checks: a forked worker must not share its parent's."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def is_accepted(parse: Callable[[str], object], text: str) -> bool:
    """Whether `parse` accepts a setting's text, without a ValueError."""
    try:
        parse(text)
    except ValueError:
        return False
    return True
