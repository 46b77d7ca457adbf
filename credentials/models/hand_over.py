"""Hand over: a link that shows one password once, to somebody without an account.

The database holds a digest of the link's key alone. A link is good for the password that there was when it was
made: a reset ends it, and so does deleting the SMTP user, also when that is undone.
"""

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

from accounts import emails
from credentials.models.base import SECRETS, password_data
from credentials.models.batches import delete_free
from credentials.models.figures import as_moment
from credentials.outcome import Outcome
from domains.access import ALLOWED, Permission
from domains.models import Domain, Membership
from vault import cipher
from web.dates import how_long, iso

if TYPE_CHECKING:
    from credentials.models.credential import Credential

# How long a link works, by the value that the form sends.
VALID_FOR = {"7d": timedelta(days=7), "24h": timedelta(hours=24), "1h": timedelta(hours=1)}
KEPT_FOR = timedelta(days=30)  # after a link could no longer be opened
MAX_OPEN = 10  # links of one SMTP user
KEY_BYTES = 24
MAKERS = [role for role, allowed in ALLOWED.items() if Permission.REVEAL_PASSWORDS in allowed]
# As SQL: usually there is none, and the ORM needs ten times as long to find that out.
_NOT_REVOKED = """
SELECT id, opened_at, valid_until FROM credentials_handover
WHERE credential_id = %s AND revoked_at IS NULL
"""


class NotAccepted(Exception):
    """The mail server would refuse the password now; `outcome` says why."""

    def __init__(self, outcome):
        super().__init__(outcome)
        self.outcome = outcome


class TooManyOpen(Exception):
    """MAX_OPEN links of the SMTP user are open."""


@sensitive_variables("key")
def digest(key: str) -> str:
    """Return what the database holds of a link's key: keyed by SECRET_KEY, as mailed links are."""
    return salted_hmac("credentials.hand_over", key, algorithm="sha256").hexdigest()


class HandOverQuerySet(models.QuerySet):
    def unused(self, now):
        """Keep those that were neither opened nor revoked, and whose time is not over."""
        return self.filter(opened_at=None, revoked_at=None, valid_until__gt=now)

    def not_revoked(self, credential) -> list[tuple]:
        """Return (primary key, when it was opened, until when it works) of a credential's."""
        with connection.cursor() as cursor:
            cursor.execute(_NOT_REVOKED, [credential.pk])
            return [(pk, *map(as_moment, moments)) for pk, *moments in cursor.fetchall()]

    def live(self, now):
        """Keep those that still work: their password was not reset, and their maker may still show it.

        A maker who left the domain and joined it again is another member.
        """
        maker = Membership.objects.filter(
            user=OuterRef("made_by"),
            domain=OuterRef("credential__domain"),
            role__in=MAKERS,
            created_at__lte=OuterRef("made_at"),
        )
        unused = self.unused(now).filter(password_number=F("credential__password_number"))
        return unused.filter(Exists(maker.with_sign_in()))

    def listed(self):
        """Return dicts for a page, the newest first."""
        rows = self.annotate(maker=F("made_by__email")).order_by("-made_at", "-pk")
        return rows.values("public_id", "maker", "made_at", "valid_until", "opened_at", "opened_ip")

    def opened(self):
        return self.filter(opened_at__isnull=False).listed().order_by("-opened_at", "-pk")

    @sensitive_variables("key")
    def of_key(self, key, now):
        """Return the live link of a key, or None."""
        rows = self.live(now).filter(digest=digest(key)).select_related("credential__domain", "made_by")
        return rows.defer(*(f"credential__{name}" for name in SECRETS)).first()

    def forget(self, now):
        """Delete those whose time was over 30 days ago."""
        delete_free(self.filter(valid_until__lt=now - KEPT_FOR))


class HandOverManager(models.Manager.from_queryset(HandOverQuerySet)):  # type: ignore[misc]
    """Reached as `credential.hand_overs`, where `make` makes links of that credential."""

    @sensitive_variables("key")
    def make(self, valid_for, *, by) -> tuple["HandOver", str]:
        """Make a link that works for a time; return it with its key, which is nowhere else.

        Raises NotAccepted, TooManyOpen, Credential.DoesNotExist.
        """
        key, now = secrets.token_urlsafe(KEY_BYTES), timezone.now()
        with transaction.atomic():
            Domain.objects.hold(self.instance.domain_id)
            credentials = type(self.instance).objects.select_related("domain").without_secrets()
            credential = credentials.get(pk=self.instance.pk)
            if (outcome := credential.outcome(now)) is not Outcome.ACCEPTED:
                raise NotAccepted(outcome)
            if self.live(now).count() >= MAX_OPEN:
                raise TooManyOpen
            made = self.create(
                digest=digest(key),
                password_number=credential.password_number,
                made_by=by.user,
                made_at=now,
                valid_until=now + valid_for,
            )
            extra = {"valid_for": how_long(valid_for), "valid_until": iso(made.valid_until)}
            made.record("credential.handed_over", by, **extra)
        return made, key


class HandOver(models.Model):
    """One link: who made it, until when it works, and what became of it."""

    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    # No constraints: code of the version before deletes credentials and people without these rows.
    credential: "models.ForeignKey[Credential, Credential]" = models.ForeignKey(
        "Credential", models.CASCADE, db_constraint=False, related_name="hand_overs"
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    password_number = models.PositiveIntegerField(editable=False)  # of the password that it shows
    # One of those who may show the password; without such a maker, it's void.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, db_constraint=False, related_name="+"
    )
    made_at = models.DateTimeField(editable=False)
    valid_until = models.DateTimeField(db_index=True, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    opened_ip = models.GenericIPAddressField("opened from", null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = HandOverManager()

    class Meta:
        verbose_name = "hand-over link"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("made_at")), name="hand_over_valid_after_made"
            ),
            models.CheckConstraint(
                condition=Q(opened_at=None) | Q(revoked_at=None), name="hand_over_opened_or_revoked"
            ),
        ]

    def __str__(self):
        return f"{self.credential} until {self.valid_until:%Y-%m-%d %H:%M} UTC"

    @property
    def made_by_name(self) -> str:
        return self.made_by.email if self.made_by else "a former account"

    @property
    def name(self) -> str:
        """The name of whoever opens it, in events."""
        return f"Hand-over link of {self.made_by_name}"

    @property
    def is_usable(self) -> bool:
        """Whether the mail server would accept the password now."""
        return self.credential.outcome(timezone.now()) is Outcome.ACCEPTED

    @sensitive_variables("password")
    def show(self, *, by) -> str:
        """Return the password, once: of concurrent calls one gets it. The event is committed by then.

        `by` is the visitor. Raises HandOver.DoesNotExist when the link no longer works; NotAccepted and
        vault.CannotOpen, which leave it as it is.
        """
        with transaction.atomic():
            Domain.objects.hold(self.credential.domain_id)
            now = timezone.now()
            # What ends a link holds the domain, too: what is read from here on stays.
            link = HandOver.objects.live(now).select_related("credential__domain", "made_by").get(pk=self.pk)
            if (outcome := link.credential.outcome(now)) is not Outcome.ACCEPTED:
                raise NotAccepted(outcome)
            if not HandOver.objects.unused(now).filter(pk=link.pk).update(opened_at=now, opened_ip=by.ip):
                raise HandOver.DoesNotExist
            sealed, username = link.credential.password_sealed, link.credential.username
            password = cipher.open(sealed, associated_data=password_data(username))
            link.record("credential.hand_over_opened", by)
            link._notify_maker(by)
        return password

    def revoke(self, *, by, reason="") -> bool:
        """End it; return False when it was opened, revoked, or its time is over."""
        now = timezone.now()
        with transaction.atomic():
            Domain.objects.hold(self.credential.domain_id)
            if not HandOver.objects.unused(now).filter(pk=self.pk).update(revoked_at=now):
                return False
            self.revoked_at = now
            self.record("credential.hand_over_revoked", by, maker=self.made_by_name, reason=reason)
        return True

    def record(self, tag, by, **data):
        """Record an event of it, inside the transaction of the act; `link` tells several apart."""
        self.credential._record(tag, by, link=self.public_id.hex[:8], **data)

    def _notify_maker(self, by):
        credential, domain = self.credential, self.credential.domain
        link = ("credentials:page", domain.name, credential.username)
        context = {"credential": credential, "domain": domain, "by": by}
        emails.write("hand_over_opened", self.made_by_name, link=link, **context)
