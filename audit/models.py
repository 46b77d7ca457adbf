from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

# Neither database finds the distinct values of a column without reading all rows.
ACTORS = """
WITH RECURSIVE actor(id) AS (
    SELECT min(actor_id) FROM audit_event WHERE domain_id = %(domain)s
    UNION ALL
    SELECT (SELECT min(actor_id) FROM audit_event WHERE domain_id = %(domain)s AND actor_id > actor.id)
    FROM actor WHERE actor.id IS NOT NULL
)
SELECT id, (
    SELECT actor_name FROM audit_event WHERE domain_id = %(domain)s AND actor_id = actor.id
    ORDER BY at DESC LIMIT 1
) AS name
FROM actor WHERE id IS NOT NULL ORDER BY name LIMIT 500
"""
# As SQL: the ORM needs more time to compile it than the database to answer.
HISTORY = """
SELECT id, tag, actor_name, domain_name, credential, ip, data, at, number FROM audit_event
WHERE credential = %s ORDER BY at DESC, id DESC LIMIT %s
"""
# Each step is one look into the index, where DISTINCT would read all rows.
TAGS = """
    WITH RECURSIVE found (tag) AS (
        SELECT MIN(tag) FROM audit_event
        UNION ALL SELECT (SELECT MIN(tag) FROM audit_event WHERE tag > found.tag) FROM found
            WHERE found.tag IS NOT NULL
    ) SELECT tag FROM found WHERE tag IS NOT NULL
"""


class EventQuerySet(models.QuerySet):
    def tags(self) -> list[str]:
        """All tags that there are, in order."""
        with connection.cursor() as cursor:
            cursor.execute(TAGS)
            return [tag for (tag,) in cursor.fetchall()]

    def for_page(self, domain):
        """The events of one domain, newest first, as the Activity page shows them."""
        return self.filter(domain=domain).order_by("-at", "-pk")

    def history(self, username, number):
        """The last events about a credential, the newest first, with what its own page shows of them.

        Not by domain as well: a username is never given again, and this has an index.
        """
        return list(self.model.objects.raw(HISTORY, [username, number]))

    def about(self, beginning):
        """Those about the credentials whose usernames begin with this, in upper case."""
        # Not startswith: LIKE uses no index. No digit of a username comes after F.
        return self.filter(credential__gte=beginning, credential__lt=f"{beginning}G")

    def actors(self, domain) -> list[tuple[int, str]]:
        """The ids of all people who did something in a domain, with the names that they had last.

        As many steps in an index as there are people, however many events there are.
        """
        with connection.cursor() as cursor:
            cursor.execute(ACTORS, {"domain": domain.pk})
            return cursor.fetchall()

    def chained(self, name=""):
        """All chains one after another, in order; with a name those of the domains that have or had it."""
        rows = self.filter(domain_name=name, domain__isnull=False) if name else self
        return rows.filter(number__isnull=False).order_by("domain_id", "number")


class Event(models.Model):
    """One thing that happened. Names are copied, so that it reads the same when they are gone.

    Rows are never changed or deleted, so the database does not require `actor` and `domain` to
    exist: after a person or a domain is deleted their ids, which are never reused, still identify
    them. Each event is a link of its domain's chain (audit/chain.py).
    """

    tag = models.CharField(max_length=64)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
    )
    actor_name = models.CharField(max_length=254)
    domain = models.ForeignKey(
        "domains.Domain",
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="events",
    )
    domain_name = models.CharField(max_length=253, blank=True)
    credential = models.CharField("credential username", max_length=32, blank=True)
    ip = models.GenericIPAddressField("IP address", null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    # Nullable, and with a default in the database: code of the version before can still add rows.
    number = models.PositiveBigIntegerField(null=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["domain", "-at"], name="event_domain_at"),
            models.Index(fields=["domain", "actor", "-at"], name="event_domain_actor_at"),
            models.Index(fields=["credential", "-at"], name="event_credential_at"),
            models.Index(fields=["-at"], name="event_at"),
            # The filter and the search of the support admin.
            models.Index(fields=["tag", "-at"], name="event_tag_at"),
            models.Index(fields=["actor_name", "-at"], name="event_actor_name_at"),
            models.Index(fields=["domain_name", "-at"], name="event_domain_name_at"),
            models.Index(fields=["ip", "-at"], name="event_ip_at"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["domain", "number"], name="event_number_once"),
            models.UniqueConstraint(
                fields=["number"], condition=Q(domain=None), name="event_number_once_without_domain"
            ),
        ]

    def __str__(self):
        return f"{self.tag} {self.credential or self.domain_name}".strip()


class ChainKey(models.Model):
    """The key of all chains, sealed with CREDENTIAL_KEYS."""

    sealed = models.CharField(max_length=255, editable=False)

    def __str__(self):
        return "the key of the chains"
