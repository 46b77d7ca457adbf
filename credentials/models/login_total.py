"""How many SMTP logins there ever were, by what became of them: a few rows, for a monitor."""

from django.db import models

from credentials.models.refusals import Cause
from credentials.models.upsert import count_up

ACCEPTED = "accepted"
UNCOUNTED = "uncounted"  # more at once than could be kept until they were written: only their number is known
OUTCOMES = (ACCEPTED, *Cause.values, UNCOUNTED)


class LoginTotalQuerySet(models.QuerySet):
    def add(self, numbers, *, at):
        """Add outcome → number. One statement: many servers add at once."""
        rows = [{"outcome": outcome, "count": number, "last_at": at} for outcome, number in numbers.items()]
        count_up(self.model, rows, once=["outcome"], add=["count"])


class LoginTotal(models.Model):
    outcome = models.CharField(max_length=24, unique=True)
    count = models.BigIntegerField()
    last_at = models.DateTimeField()

    objects = LoginTotalQuerySet.as_manager()

    def __str__(self):
        return f"{self.count} × {self.outcome}"
