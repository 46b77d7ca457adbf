"""Usage, as one fact: how many logins a username had on a day from an address with an outcome."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, F, Max, Min, OuterRef, Q, Sum, Value
from django.db.models.functions import Coalesce

from credentials.models.base import short
from credentials.models.batches import delete_free, insert_each
from credentials.models.retired import RetiredPassword, Why
from credentials.outcome import Outcome
from domains.models import Domain

LOGINS_KEPT_FOR = timedelta(days=30)
REFUSAL_SHOWN_FOR = timedelta(days=7)  # at a credential, as its last one
TRIED_WITHIN = timedelta(days=7)
IN_USE_FOR = timedelta(hours=24)
REFUSED_WITHIN = timedelta(hours=24)
MAX_ADDRESSES = 200  # of one username and day; those beyond are counted together
MAX_NAMES = 20  # of one kind, that one address gives on a day
MAX_TRIES = 1000  # rows of an address and a retired password at once
ALL_LOGINS = "*"

_ACCEPTED = Q(outcome=Outcome.ACCEPTED)
_NEWER = "CASE WHEN excluded.{0} > old.{0} OR old.{0} IS NULL THEN excluded.{0} ELSE old.{0} END"
_OLDER = "CASE WHEN excluded.{0} < old.{0} THEN excluded.{0} ELSE old.{0} END"
_GIVEN = "CASE WHEN excluded.{0} <> '' THEN excluded.{0} ELSE old.{0} END"
_ADD_TO_WHAT_IS_THERE = (
    "ON CONFLICT (username, day, ip, outcome, (COALESCE(retired_password_id, 0))) DO UPDATE SET "
    "count = old.count + excluded.count, "
    # Of several mail servers, one may write late what came first.
    f"first_at = {_OLDER.format('first_at')}, last_at = {_NEWER.format('last_at')}, "
    f"ehlo = {_GIVEN.format('ehlo')}, mail_from = {_GIVEN.format('mail_from')}, "
    f"current_at = {_NEWER.format('current_at')}, previous_at = {_NEWER.format('previous_at')}"
)


class LoginDayQuerySet(models.QuerySet):
    def count_up(self, rows):
        """Insert rows, or add their counts to those that are there; no two of them may be one row.

        Names replace those that are there, so that a writer who adds some holds the domain.
        """

        def place(row):
            unique = (row["username"], row["day"], row["ip"], row["outcome"], row["retired_password_id"] or 0)
            return row["domain_id"] is None, unique

        # In one order everywhere, so that servers wait for each other instead of deadlocking. What all
        # of them write comes last, since it is locked until the transaction ends.
        insert_each(self.model, sorted(rows, key=place), _ADD_TO_WHAT_IS_THERE)

    def forget(self, now):
        """Delete what is older than 30 days, but for the sums."""
        delete_free(self.filter(day__lt=(now - LOGINS_KEPT_FOR).date()).exclude(username=ALL_LOGINS))

    def last_refusal(self, username):
        """The last one of this username that was refused, or None."""
        return self.filter(username=username).refused().order_by("-last_at").first()

    def totals(self) -> dict[str, int]:
        """Outcome → how many logins there ever were, of all usernames."""
        sums = self.filter(username=ALL_LOGINS).values("outcome").annotate(total=Sum("count"))
        return dict.fromkeys(Outcome.values, 0) | dict(sums.values_list("outcome", "total"))

    def last_at(self) -> datetime | None:
        """The last login that was counted, of any username and outcome."""
        return self.filter(username=ALL_LOGINS).aggregate(last=Max("last_at"))["last"]

    def since(self, moment):
        """Those of a later login than this moment. By day as well: the indexes are by it."""
        return self.filter(day__gte=moment.date(), last_at__gte=moment)

    def recent(self, now):
        """Those of the last 30 days, without the ones at a username that was deleted then."""
        return self.filter(day__gt=(now - LOGINS_KEPT_FOR).date()).exclude(outcome=Outcome.UNKNOWN_USERNAME)

    def refused(self):
        """Refused ones of usernames that there were then."""
        return self.exclude(outcome__in=(Outcome.ACCEPTED, Outcome.UNKNOWN_USERNAME))

    def by_day(self) -> dict:
        """Day → (accepted, refused)."""
        sums = self.values_list("day").annotate(Sum("count"), accepted=Sum("count", filter=_ACCEPTED))
        return {day: (accepted or 0, total - (accepted or 0)) for day, total, accepted in sums}

    def by_password(self, now):
        """One row an address that logged in within 30 days, for `rotation.judge`.

        That is (ip, first, last by the password of then, last by the one before that).
        """
        rows = self.recent(now).filter(outcome=Outcome.ACCEPTED, count__gt=0)
        last = Max("current_at"), Max("previous_at")
        return rows.values_list("ip").annotate(Min("first_at"), *last).order_by("ip")

    def clients(self, now) -> list[str]:
        """The addresses that it was used from within 24 hours, the last one first."""
        rows = self.filter(_ACCEPTED).since(now - IN_USE_FOR)
        last_first = rows.values("ip").annotate(last=Max("last_at")).order_by("-last")
        return list(last_first.values_list("ip", flat=True))

    def tries(self, now):
        """One row a retired password and address that tried it within a week, the last one first."""
        # By a column of the password as well: it may be gone, since it is accepted again.
        rows = self.filter(retired_password__isnull=False, retired_password__why__isnull=False)
        password = {name: F(f"retired_password__{name}") for name in ("label", "why", "since")}
        return (
            rows.values("retired_password", "username", "ip", **password)
            .annotate(total=Sum("count"), last=Max("last_at"))
            .filter(last__gte=now - TRIED_WITHIN)
            .order_by("-last", "retired_password", "ip")
        )

    def still_tried(self, now) -> list[dict]:
        """The same, one row a retired password: how often, and by how many addresses that are known.

        `ip` is the last of those; `has_unlisted` says that addresses beyond the bound tried it too. Of a
        deleted SMTP user it says that it is deleted, no more.
        """
        deleted = RetiredPassword.objects.filter(username=OuterRef("username"), why=Why.DELETED)
        rows = self.filter(Q(retired_password__why=Why.DELETED) | ~Exists(deleted))
        tried: dict[int, dict] = {}
        for row in rows.tries(now)[:MAX_TRIES]:
            password = tried.setdefault(
                row["retired_password"], row | {"total": 0, "addresses": 0, "has_unlisted": False}
            )
            password["total"] += row["total"]
            password["addresses"] += bool(row["ip"])
            password["has_unlisted"] |= not row["ip"]
            password["ip"] = password["ip"] or row["ip"]
        return list(tried.values())


class LoginDay(models.Model):
    """Logins of one username from one address on one day (UTC) with one outcome, and with which old password.

    `username` is "" for those that there are not, and ALL_LOGINS for sums over all, which are kept for good.
    `ip` is "" for the addresses beyond the first 200 of a username and day.
    """

    # By username, without constraints: credentials, domains and passwords may go while logins are written.
    domain = models.ForeignKey(
        Domain, models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="login_days"
    )
    username = models.CharField(max_length=32, blank=True)
    day = models.DateField(db_index=True)
    ip = models.CharField("IP address", max_length=39, blank=True)
    outcome = models.CharField(max_length=24, choices=Outcome)
    retired_password = models.ForeignKey(
        RetiredPassword, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    count = models.PositiveBigIntegerField()
    # What signed-in clients called themselves and sent as (RFC 5321, 4.1.1.1), one a line, the last one first.
    ehlo = models.TextField("EHLO", blank=True)
    mail_from = models.TextField("MAIL FROM", blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    # The last accepted logins by the password of then, and by the one before it in its grace period.
    # last_at can't tell: a message moves it too. Nullable: code of the version before adds rows without them.
    current_at = models.DateTimeField(null=True)
    previous_at = models.DateTimeField(null=True)

    objects = LoginDayQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                *("username", "day", "ip", "outcome"),
                Coalesce("retired_password", Value(0)),
                name="login_day_once",
            )
        ]
        indexes = [
            models.Index(fields=["domain", "day"], name="login_day_domain"),
            models.Index(
                fields=["domain", "username"],
                condition=Q(retired_password__isnull=False),
                name="login_day_tried",
            ),
            # For a search by address.
            models.Index(fields=["ip", "username"], name="login_day_ip"),
            # For the list of refused ones in the support admin, among many more that were accepted.
            models.Index(fields=["day", "id"], condition=~_ACCEPTED, name="login_day_refused"),
            models.Index(fields=["outcome", "day", "id"], condition=~_ACCEPTED, name="login_day_cause"),
        ]

    def __str__(self):
        return (
            f"{self.count} × {self.outcome}, {short(self.username)} from {self.ip or 'elsewhere'} on {self.day}"
        )


class RefusedLogins(LoginDay):
    """The same, as the support admin lists it: refused ones alone."""

    class Meta:
        proxy = True
        verbose_name_plural = "refused logins"
