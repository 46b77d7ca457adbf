"""The mail servers as they report themselves, and which revocations each has seen.

All times are by the clock of the primary database, so that they can be compared. `heartbeat_at` is the newest
`Heartbeat` that a node's replica has replayed; without a replica its mail servers ask the primary itself.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest, Now

import audit
from audit.models import Event
from credentials.models.batches import CHUNK, delete_free
from credentials.models.heartbeat import Heartbeat
from credentials.revocations import TAGS

SEEN_KEPT_FOR = timedelta(days=90)
SILENT_KEPT_FOR = timedelta(days=7)
CONFIRMED_WITHIN = timedelta(hours=24)  # older revocations are not looked for any more
# The lookup functions take a heartbeat for as much in the future. By a clock that is behind for longer, they
# refuse, but once no newer one comes they answer, for all of that time longer than the lease.
CLOCK_MARGIN = timedelta(seconds=1)
# Once a transaction has committed. Events of others that it sees have been committed as well.
NOTE_COMMITS = """
INSERT INTO credentials_refusalseen (event_id, node_id, seen_at)
SELECT id, NULL, clock_timestamp() FROM audit_event
WHERE id >= %s AND tag = ANY(%s) AND NOT EXISTS (
    SELECT FROM credentials_refusalseen AS seen WHERE seen.event_id = audit_event.id AND seen.node_id IS NULL
)
ORDER BY id ON CONFLICT DO NOTHING
"""


class NodeQuerySet(models.QuerySet):
    def report(self, name, role, **columns) -> int:
        """Note that a node is alive; return its primary key. What is not in `columns` stays as it is."""
        row = self.model(name=name, role=role, last_seen_at=Now(), **columns)
        known = {"unique_fields": ["name", "role"], "update_fields": ["last_seen_at", *columns]}
        self.bulk_create([row], update_conflicts=True, **known)
        return row.pk

    def forget(self, now):
        """Delete those that were silent for 7 days, but none with a replica: it may only be cut off."""
        delete_free(self.filter(has_replica=False, last_seen_at__lt=now - SILENT_KEPT_FOR))

    def with_lease(self):
        """Annotate the lease of replicas in seconds: by the heartbeat, otherwise by this server's settings."""
        of_heartbeat = Heartbeat.objects.values("lease_seconds")[:1]
        return self.annotate(lease_seconds=Coalesce(Subquery(of_heartbeat), Value(settings.LEASE_SECONDS)))

    def with_unconfirmed(self, now):
        """Annotate how many revocations of the last 24 hours a node with a replica has not confirmed."""
        since = Greatest(OuterRef("first_seen_at"), Value(now - CONFIRMED_WITHIN), output_field=DateTimeField())
        seen = RefusalSeen.objects.filter(event=OuterRef("pk"), node=OuterRef(OuterRef("pk")))
        events = Event.objects.filter(~Exists(seen), tag__in=list(TAGS), at__gt=since).order_by()
        number = events.values(one=Value(1)).annotate(number=Count("pk")).values("number")
        counted = When(has_replica=True, then=Coalesce(Subquery(number), Value(0)))
        return self.annotate(unconfirmed=Case(counted, output_field=IntegerField()))


class Node(models.Model):
    """A service that accepts mail on a machine. Its row is written by that service alone."""

    class Role(models.TextChoices):
        POSTFIX = "postfix", "Postfix and Dovecot"
        LISTENER = "listener", "Built-in listener"

    name = models.CharField(max_length=63, editable=False)
    role = models.CharField(max_length=10, choices=Role, editable=False)
    version = models.CharField(max_length=50, editable=False)
    has_replica = models.BooleanField(default=False, editable=False)
    first_seen_at = models.DateTimeField(db_default=Now(), editable=False)
    last_seen_at = models.DateTimeField(editable=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    # Of the replica's clock against the primary's, and the time that a report takes.
    clock_behind = models.DurationField(null=True, editable=False)

    objects = NodeQuerySet.as_manager()

    class Meta:
        verbose_name = "mail server"
        constraints = [models.UniqueConstraint(fields=["name", "role"], name="node_once")]

    def __str__(self):
        return f"{self.name} ({self.get_role_display()})"

    @property
    def lag(self) -> timedelta | None:
        """How old the newest heartbeat was that its replica had when it reported last; None without one."""
        return self.last_seen_at - self.heartbeat_at if self.has_replica and self.heartbeat_at else None

    @property
    def lease_ends_at(self) -> datetime | None:
        """When it refuses every login, unless it receives another heartbeat; None if it asks the primary.

        Needs `with_lease`. A replica that never had a heartbeat refuses already.
        """
        if not (self.has_replica and self.heartbeat_at):
            return None
        return self.heartbeat_at + self.lease

    @property
    def lease(self) -> timedelta:
        """How long after a heartbeat it may go on answering, by the primary's clock. Needs `with_lease`."""
        return timedelta(seconds=self.lease_seconds) + max(CLOCK_MARGIN, self.clock_behind or timedelta(0))

    @property
    def has_wrong_clock(self) -> bool:
        """Whether it refuses logins, since heartbeats seem to be of a time to come."""
        return bool(self.clock_behind) and self.clock_behind > CLOCK_MARGIN

    def remove(self, *, by, reason=""):
        """Forget a node that was taken out of service. Raises Node.DoesNotExist.

        One that still runs reports itself again.
        """
        with transaction.atomic():
            if not Node.objects.filter(pk=self.pk).delete()[0]:
                raise Node.DoesNotExist
            audit.record("node.removed", by=by, data={"node": self.name, "role": self.role, "reason": reason})


class RefusalSeenQuerySet(models.QuerySet):
    def note_commits(self, first_event):
        """Note that this event, and other revocations after it, are committed by now. On PostgreSQL."""
        with connection.cursor() as cursor:
            cursor.execute(NOTE_COMMITS, [first_event, list(TAGS)])

    def confirm(self, node, ages: Iterable[tuple[int, timedelta]]):
        """Note which events (primary keys) a node has seen, each with how long ago that was.

        The time is late rather than early: by the primary's clock as this statement reaches it.
        """
        rows = [self.model(event_id=event, node_id=node, seen_at=Now() - age) for event, age in ages]
        self.bulk_create(rows, batch_size=CHUNK, ignore_conflicts=True)

    def forget(self, now):
        """Delete what is older than 90 days."""
        delete_free(self.filter(seen_at__lt=now - SEEN_KEPT_FOR))


class RefusalSeen(models.Model):
    """That a node's replica shows a revocation, so that its mail servers refuse.

    Without a node: that the primary's COMMIT was over, at a moment after it.
    """

    # Without a constraint: after a failover an event that a node has seen may be lost.
    event = models.ForeignKey(Event, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    node = models.ForeignKey(Node, models.CASCADE, null=True, related_name="refusals")
    seen_at = models.DateTimeField(db_index=True)

    objects = RefusalSeenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "node"], name="refusal_seen_once"),
            models.UniqueConstraint(fields=["event"], condition=Q(node=None), name="refusal_committed_once"),
        ]

    def __str__(self):
        return f"event {self.event_id} at {self.node or 'the primary'}"
