"""Who uses a credential: client addresses by day, and the names they give. Kept for 30 days."""

from datetime import timedelta

from django.db import models

from credentials.lasting import short
from credentials.refusals import Cause
from domains.models import Domain

KEPT_FOR = timedelta(days=30)
MAX_ADDRESSES = 200  # of one credential and day; those beyond are counted together
MAX_NAMES = 50  # of one credential, address and kind
MAX_NAME_LENGTH = 254


def forget(now):
    """Delete what is older than 30 days."""
    ClientDay.objects.filter(day__lt=(now - KEPT_FOR).date()).delete()
    ClientName.objects.filter(last_at__lt=now - KEPT_FOR).delete()


class ClientDay(models.Model):
    """Logins of one credential from one address on one day (UTC); ip is "" for those beyond the first 200."""

    # By username, without constraints: credentials and domains may go while logins are written.
    domain = models.ForeignKey(Domain, models.CASCADE, db_constraint=False, related_name="client_days")
    username = models.CharField(max_length=32)
    day = models.DateField(db_index=True)
    ip = models.CharField("IP address", max_length=39, blank=True)
    accepted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    last_cause = models.CharField(max_length=24, choices=Cause, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["username", "day", "ip"], name="client_day_once")]
        indexes = [models.Index(fields=["domain", "day"], name="client_day_domain")]

    def __str__(self):
        return f"{short(self.username)} from {self.ip or 'elsewhere'} on {self.day}"


class ClientName(models.Model):
    """A name that clients at one address gave: in EHLO (RFC 5321 section 4.1.1.1) or as MAIL FROM."""

    class Kind(models.TextChoices):
        EHLO = "ehlo", "EHLO"
        MAIL_FROM = "mail_from", "MAIL FROM"

    domain = models.ForeignKey(Domain, models.CASCADE, db_constraint=False, related_name="client_names")
    username = models.CharField(max_length=32)
    ip = models.CharField("IP address", max_length=39, blank=True)
    kind = models.CharField(max_length=9, choices=Kind)
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    count = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["username", "ip", "kind", "name"], name="client_name_once")
        ]

    def __str__(self):
        return f"{short(self.username)} {self.kind} {self.name}"
