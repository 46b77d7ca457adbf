"""What every process that serves does before it starts: the tag of its checks, its exit code, its clean-up."""

from collections.abc import Callable

from django.db import connections

START = "sendlayer"  # the tag of the system checks that run before any request is served


def close_connections() -> None:
    """Close what the checks opened: a forked worker must not share the parent's connections."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def is_accepted(parse: Callable[[str], object], text: str) -> bool:
    """Whether a setting's text can be parsed: `parse` raises ValueError where it can't."""
    try:
        parse(text)
    except ValueError:
        return False
    return True
