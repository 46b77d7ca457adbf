"""Credentials that were deleted within 24 hours: refused everywhere, and not yet erased.

Erasing deletes the row, as any DELETE does. SQLite overwrites it (secure_delete, see settings), but the
pages as they were stay in the WAL until they are checkpointed and written over; PostgreSQL keeps
the row version until a VACUUM, and both may be in a backup. There they are as the rest of
the database is: the password sealed by a key that is kept elsewhere, the verifier a hash.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, models, transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

import audit
from audit.models import Event
from credentials.models.base import SHARED_COLUMNS, CredentialFields
from credentials.models.batches import CHUNK
from domains.models import Domain

RESTORABLE_FOR = timedelta(hours=24)

log = logging.getLogger(__name__)


class DeletedCredentialQuerySet(models.QuerySet):
    def restorable(self, now):
        """Those that can come back at this time, whether or not what is older is erased already."""
        return self.filter(deleted_at__gt=now - RESTORABLE_FOR)

    def for_page(self, now):
        """Those of one domain that can come back, the last deleted first, without their secrets."""
        deleted = Event.objects.filter(credential=OuterRef("username"), tag="credential.deleted")
        number = Subquery(deleted.order_by("-at").values("number")[:1])
        rows = self.restorable(now).annotate(deleted_by_email=F("deleted_by__email"), event_number=number)
        return rows.without_secrets().order_by("-deleted_at", "-pk")

    def without_secrets(self):
        return self.defer("password_sealed", "verifier", "previous_verifier")

    def keep(self, credential, *, by, now):
        """Keep a credential; inside the transaction that deletes it."""
        columns = {name: getattr(credential, name) for name in SHARED_COLUMNS}
        return self.create(
            domain_id=credential.domain_id,
            former_id=credential.pk,
            deleted_at=now,
            deleted_by=by.user,
            **columns,
        )

    def erase(self) -> int:
        """Delete these for good; return how many they were.

        Their logins and retired passwords stay as long as others': the domain's chart counts them.
        """
        erased = 0
        while True:
            with transaction.atomic():
                # Locked: what somebody restores at the same time comes back whole, or is erased whole.
                keys = list(self.select_for_update().order_by("pk").values_list("pk", flat=True)[:CHUNK])
                self.model.objects.filter(pk__in=keys).delete()
            if not keys:
                return erased
            erased += len(keys)

    def erase_due(self, now) -> int:
        """Delete for good what was deleted 24 hours ago and before; return how many that were."""
        return self.filter(deleted_at__lte=now - RESTORABLE_FOR).erase()


class DeletedCredential(CredentialFields):
    """A credential as it was; `former_id` is its primary key, which it gets again at Undo.

    No mail server reads this table: what is here is refused like what never was.
    """

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="deleted_credentials")
    former_id = models.BigIntegerField(unique=True, editable=False)
    created_at = models.DateTimeField()  # of the credential, not of this row
    deleted_at = models.DateTimeField()
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = DeletedCredentialQuerySet.as_manager()
    notifies_owners = True  # as in Credential

    class Meta:
        indexes = [
            models.Index(fields=["domain", "deleted_at"], name="deleted_domain_at"),
            models.Index(fields=["deleted_at"], name="deleted_at"),
        ]

    def __str__(self):
        return self.username

    @property
    def erased_at(self):
        """When it can't be restored any more."""
        return self.deleted_at + RESTORABLE_FOR

    def restore(self, *, by):
        """Restore the credential as it was, and return it.

        Raises DeletedCredential.DoesNotExist when it is restored already, erased, or older
        than 24 hours: of two at once one finds it.
        """
        with transaction.atomic():
            Domain.objects.hold(self.domain_id)
            kept = DeletedCredential.objects.select_for_update().restorable(timezone.now()).get(pk=self.pk)
            kept.delete()
            credential = self.domain.credentials.bring_back(kept)
            credential.notifies_owners = self.notifies_owners
            credential.note_restored(by=by)
        return credential

    def erase(self, *, by):
        """Delete it for good. Raises DeletedCredential.DoesNotExist when it is restored or erased already."""
        with transaction.atomic():
            Domain.objects.hold(self.domain_id)
            if not DeletedCredential.objects.filter(pk=self.pk).erase():
                raise DeletedCredential.DoesNotExist
            audit.record(
                "credential.erased",
                by=by,
                domain=self.domain,
                credential=self.username,
                data={"label": self.label} if self.label else {},
            )


def erase_due_at_start() -> None:
    """Erase what is due before a web server starts; what the database refuses is left to the timer."""
    try:
        if erased := DeletedCredential.objects.erase_due(timezone.now()):
            log.info("Erased SMTP users that were deleted: %s", erased)
    except DatabaseError as error:
        log.warning("Deleted SMTP users are not erased yet: %s", type(error).__name__)
