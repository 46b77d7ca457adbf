"""Credentials that were deleted within 24 hours: refused everywhere, and not yet erased."""

from datetime import timedelta

from django.conf import settings
from django.db import models

from credentials.lasting import Lasting
from domains.models import Domain

KEPT_FOR = timedelta(hours=24)


class DeletedCredential(Lasting):
    """A credential as it was; `former_id` is its primary key, which it gets again at Undo.

    No mail server reads this table: what stands here is as gone as what never was.
    """

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="deleted_credentials")
    former_id = models.BigIntegerField(unique=True, editable=False)
    created_at = models.DateTimeField()  # not of this row, of the credential
    deleted_at = models.DateTimeField()
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["domain", "deleted_at"], name="deleted_domain_at"),
            models.Index(fields=["deleted_at"], name="deleted_at"),
        ]

    def __str__(self):
        return self.username
