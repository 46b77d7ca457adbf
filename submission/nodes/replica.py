"""Looks for revocations in the replica that this machine's mail servers ask.

Events become visible at their COMMIT, in another order than their ids and times. So each look goes back to some
time before the one before it, and leaves out what it has found there already.
"""

import time
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connections

from credentials.models.node import CONFIRMED_WITHIN
from credentials.revocations import TAGS

ALIAS = "replica"
# Between an event's time, by its web server's clock, and its COMMIT, by the primary's.
OVERLAP = timedelta(minutes=2)
MAX_FOUND = 500  # in one look; the next finds more
# On a server that is no standby: its own time.
POSITION = """
SELECT (SELECT max(at) FROM credentials_heartbeat), clock_timestamp(),
    CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() ELSE clock_timestamp() END
"""
REVOCATIONS = """
SELECT id, at FROM audit_event WHERE tag = ANY(%s) AND at > %s AND NOT id = ANY(%s) ORDER BY at LIMIT %s
"""


class Look(NamedTuple):
    """The newest heartbeat that the replica has, and the events that it didn't show at the look before.

    `clock` is what its clock showed at `at`, which is by time.monotonic().
    """

    heartbeat_at: datetime | None
    events: list[int]
    clock: datetime
    at: float


class Replica:
    """What was found in the replica. Not for several threads at once."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._found: dict[int, datetime] = {}

    def look(self) -> Look:
        """Return what is new. At first, that is all of the last 24 hours. Raises django.db.Error."""
        with connections[ALIAS].cursor() as cursor:
            cursor.execute(POSITION)
            heartbeat_at, now, replayed_to = cursor.fetchone()
            at = time.monotonic()
            since = self._since or now - CONFIRMED_WITHIN
            cursor.execute(REVOCATIONS, [list(TAGS), since, list(self._found), MAX_FOUND])
            new = dict(cursor.fetchall())
        self._found |= new
        if replayed_to and len(new) < MAX_FOUND:
            self._since = max(since, replayed_to - OVERLAP)
            self._found = {event: of for event, of in self._found.items() if of > self._since}
        return Look(heartbeat_at, list(new), now, at)
