"""Refused logins, counted a day: how often a credential was refused, why, and from where last."""

from datetime import timedelta

from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery

from credentials.models.upsert import delete_free

KEPT_FOR = timedelta(days=90)
LATELY = timedelta(hours=24)
SHOWN_FOR = timedelta(days=7)  # at a credential, as its last refusal


class Cause(models.TextChoices):
    """Why a login was refused; the values are the names of Outcome in lower case, and one more."""

    UNKNOWN_USERNAME = "unknown_username", "unknown username"
    WRONG_PASSWORD = "wrong_password", "wrong password"
    OLD_PASSWORD = "old_password", "old password"
    SUSPENDED = "suspended", "suspended"
    EXPIRED = "expired", "expired"
    DOMAIN_NOT_AUTHORIZED = "domain_not_authorized", "domain not authorized"
    NETWORK_NOT_ALLOWED = "network_not_allowed", "network not allowed"


class RefusedLoginsQuerySet(models.QuerySet):
    def count_up(self, credential, cause, number, *, at, ip):
        """Count `number` more logins refused for one cause; `credential` is None for unknown usernames.

        Days that are older than 90 days go when a new one begins.
        """
        day = at.date()
        rows = self.filter(credential=credential, cause=cause, day=day)
        if rows.update(count=F("count") + number, last_at=at, last_ip=ip):
            return
        self.bulk_create(
            [self.model(credential=credential, cause=cause, day=day, count=0, last_at=at, last_ip=ip)],
            ignore_conflicts=True,  # the other server may have been quicker
        )
        rows.update(count=F("count") + number)
        delete_free(self.filter(day__lt=day - KEPT_FOR))

    def by_cause(self, since):
        """One row a cause: cause, total, last, and the IP of that last one; the newest first."""
        rows = self.filter(day__gte=since)
        newest = rows.filter(cause=OuterRef("cause")).order_by("-last_at")
        return (
            rows.values("cause")
            .annotate(
                total=models.Sum("count"),
                last=models.Max("last_at"),
                ip=Subquery(newest.values("last_ip")[:1]),
            )
            .order_by("-last")
        )

    def lately(self, domain, now):
        """Those of a domain within 24 hours by cause: as `by_cause`, of how many SMTP users and of which last.

        Counts are kept by day, so they are since the day before. Old passwords are told
        by RetiredPassword, one by one.
        """
        rows = self.filter(credential__domain=domain, last_at__gte=now - LATELY)
        rows = rows.exclude(cause=Cause.OLD_PASSWORD)
        newest = rows.filter(cause=OuterRef("cause")).order_by("-last_at")
        return rows.by_cause((now - LATELY).date()).annotate(
            users=Count("credential", distinct=True),
            username=Subquery(newest.values("credential__username")[:1]),
            label=Subquery(newest.values("credential__label")[:1]),
        )


class RefusedLogins(models.Model):
    """How many logins of one credential were refused on one day (UTC) for one cause."""

    # No constraint: a credential may be deleted while its refusals are written, and neither may fail.
    # What is counted stays for as long as Undo can bring it back (credentials/models/deleted.py).
    credential = models.ForeignKey(
        "Credential", models.DO_NOTHING, null=True, db_constraint=False, related_name="refused_logins"
    )
    cause = models.CharField(max_length=24, choices=Cause)
    day = models.DateField(db_index=True)
    count = models.PositiveIntegerField()
    last_at = models.DateTimeField()
    last_ip = models.GenericIPAddressField("last IP", null=True)

    objects = RefusedLoginsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "refused logins"
        constraints = [
            models.UniqueConstraint("credential", "cause", "day", name="refused_logins_once"),
            models.UniqueConstraint(
                "cause", "day", condition=Q(credential=None), name="refused_logins_unknown_once"
            ),
        ]

    def __str__(self):
        return f"{self.count} × {self.get_cause_display()} on {self.day}"
