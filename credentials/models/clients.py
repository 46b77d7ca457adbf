"""Who uses a credential: client addresses by day, and the names they give. Kept for 30 days."""

from datetime import timedelta

from django.db import models
from django.db.models import Count, F, Max, Min, OuterRef, Subquery, Sum, Window
from django.db.models.functions import RowNumber

from credentials.models.base import short
from credentials.models.refusals import Cause
from credentials.models.upsert import delete_free
from domains.models import Domain

KEPT_FOR = timedelta(days=30)
MAX_ADDRESSES = 200  # of one credential and day; those beyond are counted together
MAX_NAMES = 50  # of one credential, address and kind
MAX_NAME_LENGTH = 254
LATELY = timedelta(hours=24)
NAMES_SHOWN = 3


def forget(now):
    """Delete what is older than 30 days."""
    delete_free(ClientDay.objects.filter(day__lt=(now - KEPT_FOR).date()))
    delete_free(ClientName.objects.filter(last_at__lt=now - KEPT_FOR))


class ClientDayQuerySet(models.QuerySet):
    def recent(self, now):
        """Those of the last 30 days, today among them."""
        return self.filter(day__gt=(now - KEPT_FOR).date())

    def by_day(self) -> dict:
        """Day → (accepted, refused)."""
        days = self.values("day").annotate(accepted=Sum("accepted"), refused=Sum("refused"))
        return {day: logins for day, *logins in days.values_list("day", "accepted", "refused")}

    def by_address(self):
        """One row an address, the one that came last first: its logins, when, and why it was refused last."""
        refused = self.filter(ip=OuterRef("ip")).exclude(last_cause="").order_by("-day")
        return (
            self.values("ip")
            .annotate(
                number_accepted=Sum("accepted"),
                number_refused=Sum("refused"),
                first=Min("first_at"),
                last=Max("last_at"),
                cause=Subquery(refused.values("last_cause")[:1]),
            )
            .order_by("-last", "ip")
        )

    def lately(self, now) -> list[str]:
        """The addresses that logins were accepted from within 24 hours, the last one first."""
        since = now - LATELY
        # By day as well: a credential's rows lie in an index by it.
        rows = self.filter(day__gte=since.date(), last_at__gte=since, accepted__gt=0)
        return list(
            rows.values("ip").annotate(last=Max("last_at")).order_by("-last").values_list("ip", flat=True)
        )


class ClientNameQuerySet(models.QuerySet):
    def few(self):
        """Of each address and kind the last three names: (ip, kind, name, of how many)."""
        alike = {"partition_by": ["ip", "kind"]}
        rows = self.annotate(
            place=Window(RowNumber(), order_by=[F("last_at").desc(), F("pk").asc()], **alike),
            number=Window(Count("pk"), **alike),
        )
        rows = rows.filter(place__lte=NAMES_SHOWN).order_by("ip", "kind", "place")
        return rows.values_list("ip", "kind", "name", "number")


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

    objects = ClientDayQuerySet.as_manager()

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

    objects = ClientNameQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["username", "ip", "kind", "name"], name="client_name_once")
        ]

    def __str__(self):
        return f"{short(self.username)} {self.kind} {self.name}"
