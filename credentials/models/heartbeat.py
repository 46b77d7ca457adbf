"""The heartbeat of the primary database, by which a hot standby knows how old its rows are."""

from django.db import connections, models

BEAT_SECONDS = 1

# As one statement of the client: the row is locked for no longer than the server needs, even if the client
# freezes. It waits for this server's disk, and for no standby: with a synchronous one that is ill it would
# wait for ever.
BEAT = """
SET LOCAL synchronous_commit = local;
SET LOCAL statement_timeout = '2s';
INSERT INTO credentials_heartbeat (id, at, lease_seconds) VALUES (1, statement_timestamp(), %s)
ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at, lease_seconds = EXCLUDED.lease_seconds
"""


class HeartbeatQuerySet(models.QuerySet):
    def beat(self, lease_seconds: int):
        """Write the database's time, and for how long a standby may answer after it (seconds). Raises Error.

        On PostgreSQL alone, outside of a transaction.
        """
        with connections[self.db].cursor() as cursor:
            cursor.execute(BEAT, [lease_seconds])


class Heartbeat(models.Model):
    """One row, written each second by `manage.py heartbeat`.

    A standby that shows it has replayed everything that was committed before `at`. The lookup functions of
    the mail servers refuse to answer there once it is older than `lease_seconds`.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
    lease_seconds = models.PositiveIntegerField()

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="heartbeat_is_one_row")]

    def __str__(self):
        return f"{self.at:%H:%M:%S} + {self.lease_seconds} s"
