from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

MAX_TEXT = 200  # characters of what a job printed, or of its error


class JobRunQuerySet(models.QuerySet):
    def claim(self, job: str, *, at: datetime, by: str, bound: timedelta, pause: timedelta) -> bool:
        """Take a job for one run, unless another process has it or it began less than `pause` ago.

        One conditional UPDATE, so that of several machines one gets it. Who died in a run keeps it for the
        `bound` that was given then.
        """
        self.bulk_create([JobRun(job=job)], ignore_conflicts=True)
        is_free = Q(held_until=None) | Q(held_until__lte=at)
        is_due = Q(started_at=None) | Q(started_at__lte=at - pause)
        due = self.filter(is_free, is_due, job=job)
        return bool(due.update(started_at=at, held_by=by, held_until=at + bound))


class JobRun(models.Model):
    """The last run of a periodic job: one row for each job (operations/jobs), which all machines share.

    It is not part of a backup: a restored database would name runs that another one saw.
    """

    job = models.CharField(max_length=20, primary_key=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)  # of the last run that ended
    succeeded_at = models.DateTimeField(null=True)  # the end of the last run that succeeded
    seconds = models.FloatField(null=True)  # that the last finished run took
    failure = models.CharField(max_length=MAX_TEXT, default="")  # of the last finished run, "" if it succeeded
    result = models.CharField(max_length=MAX_TEXT, default="")  # what the last success printed
    size = models.BigIntegerField(null=True)  # bytes that the last success wrote
    held_by = models.CharField(max_length=MAX_TEXT, default="")  # machine and process of the last run
    held_until = models.DateTimeField(null=True)  # null while nobody runs it

    objects = JobRunQuerySet.as_manager()

    class Meta:
        verbose_name = "job"
        verbose_name_plural = "System"

    def __str__(self):
        return self.job

    def is_running(self, now: datetime) -> bool:
        return bool(self.held_until and self.held_until > now)

    def has_died(self, now: datetime) -> bool:
        """Whether its last run neither ended nor can go on: its process or machine was stopped."""
        return bool(self.held_until and self.held_until <= now)

    def has_failed(self, now: datetime) -> bool | None:
        """Whether its last run failed; None if none has ended yet."""
        if self.has_died(now):
            return True
        return bool(self.failure) if self.finished_at else None
