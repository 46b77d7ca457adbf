"""Passwords that are refused for good or for now, and who still tries them."""

from collections.abc import Callable
from datetime import timedelta

from django.db import models
from django.db.models import Count, Exists, Max, OuterRef, Q, Subquery, Sum

from credentials.models.base import short
from credentials.models.upsert import at_most, chunks, count_up, delete_free
from domains.models import Domain
from web.text import MAX_LENGTH

KEPT_FOR = timedelta(days=90)
MAX_ADDRESSES = 100
TOLD_FOR = timedelta(days=7)
TRIED = ("total", "addresses", "last", "last_ip")
MAX_TOLD = 200  # passwords at once


class Why(models.TextChoices):
    RESET = "reset"
    DELETED = "deleted"
    SUSPENDED = "suspended"


class RetiredPasswordQuerySet(models.QuerySet):
    def retire(self, credential, digest, why, *, at):
        """Remember a password that is refused from now on; inside the transaction that makes it so."""
        row = self.model(
            domain_id=credential.domain_id,
            username=credential.username,
            label=credential.label,
            digest=digest,
            why=why,
            since=at,
        )
        known = {"unique_fields": ["username", "digest"], "update_fields": ["label", "why", "since"]}
        self.bulk_create([row], update_conflicts=True, **known)

    def known(self, usernames) -> Callable:
        """Return a function (username, digest) → RetiredPassword or None, for these usernames.

        Whatever is tried at a deleted username is known: usernames are never given again.
        """
        found, deleted = {}, {}
        for chunk in chunks(sorted(filter(None, usernames))):
            for password in self.filter(username__in=chunk):
                found[password.username, password.digest] = password
                if password.why == Why.DELETED:
                    deleted[password.username] = password
        return lambda username, digest: deleted.get(username) or found.get((username, digest))

    def count_tries(self, tries):
        """Add tries, {(primary key, ip): [Seen, …]}."""
        has_room = at_most(RetiredTry, tries, MAX_ADDRESSES, names=("password_id", "ip"))
        rows: dict = {}
        for key, seen in tries.items():
            key = key if has_room(key) else (key[0], "")
            rows.setdefault(key, []).extend(seen)
        count_up(
            RetiredTry,
            (
                {
                    "password_id": pk,
                    "ip": ip,
                    "count": sum(each.number for each in seen),
                    "first_at": min(each.at for each in seen),
                    "last_at": max(each.at for each in seen),
                }
                for (pk, ip), seen in rows.items()
            ),
            once=("password_id", "ip"),
            add=("count",),
        )

    def still_tried(self, now):
        """Those that were tried within a week, the last tried first: how often, and from how many addresses.

        `last_ip` is the last that is known. Of a deleted SMTP user it tells that it is deleted, no more.
        """
        since = now - TOLD_FOR
        deleted = self.model.objects.filter(username=OuterRef("username"), why=Why.DELETED)
        known = RetiredTry.objects.filter(password=OuterRef("pk"), last_at__gte=since).exclude(ip="")
        return (
            self.filter(Q(why=Why.DELETED) | ~Exists(deleted), tries__last_at__gte=since)
            .annotate(
                total=Sum("tries__count"),
                addresses=Count("tries"),
                last=Max("tries__last_at"),
                last_ip=Subquery(known.order_by("-last_at").values("ip")[:1]),
            )
            .order_by("-last", "pk")
            .values_list("pk", "username", "label", "why", "since", *TRIED, named=True)[:MAX_TOLD]
        )

    def forget(self, now):
        """Delete what is older than 90 days."""
        old = self.filter(since__lt=now - KEPT_FOR)
        # By their own time as well: a password may go while its tries are written.
        delete_free(RetiredTry.objects.filter(Q(password__in=old) | Q(last_at__lt=now - KEPT_FOR)))
        delete_free(old)


class RetiredTryQuerySet(models.QuerySet):
    def recent(self, now):
        """Those within a week, with the password they tried, the last one first."""
        return self.filter(last_at__gte=now - TOLD_FOR).select_related("password").order_by("-last_at", "pk")


class RetiredPassword(models.Model):
    """A password that a site may still hold, known by its digest alone (credentials/digests.py)."""

    # No constraints: what goes while logins are written may not make the writing fail.
    domain = models.ForeignKey(Domain, models.CASCADE, db_constraint=False, related_name="retired_passwords")
    username = models.CharField(max_length=32)
    label = models.CharField(max_length=MAX_LENGTH, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    why = models.CharField(max_length=10, choices=Why)
    since = models.DateTimeField(db_index=True)

    objects = RetiredPasswordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["username", "digest"], name="retired_password_once")]

    def __str__(self):
        return f"{short(self.username)} {self.why}"


class RetiredTry(models.Model):
    """How often one address tried a retired password; ip is "" for those beyond the first hundred."""

    password = models.ForeignKey(RetiredPassword, models.CASCADE, db_constraint=False, related_name="tries")
    ip = models.CharField("IP address", max_length=39, blank=True)
    count = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects = RetiredTryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "retired tries"
        constraints = [models.UniqueConstraint(fields=["password", "ip"], name="retired_try_once")]

    def __str__(self):
        return f"{self.count} × from {self.ip or 'elsewhere'}"
