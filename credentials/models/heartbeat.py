"""The heartbeat of the primary database, by which a hot standby knows how old its rows are."""

from django.db import models
from django.db.models.functions import Now


class HeartbeatQuerySet(models.QuerySet):
    def beat(self, lease_seconds: int):
        """Write the time of the database, and how long a standby may go by what it has until then (seconds)."""
        written = {"unique_fields": ["id"], "update_fields": ["at", "lease_seconds"]}
        self.bulk_create([Heartbeat(at=Now(), lease_seconds=lease_seconds)], update_conflicts=True, **written)


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
