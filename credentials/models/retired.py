"""Passwords that are refused for good or for now, kept for 90 days to know who still tries them."""

from collections.abc import Callable
from datetime import timedelta

from django.db import models

from credentials.models.base import short
from credentials.models.batches import chunks, delete_free
from domains.models import Domain
from web.text import MAX_LABEL

RETIRED_KEPT_FOR = timedelta(days=90)


class Why(models.TextChoices):
    RESET = "reset"
    DELETED = "deleted"
    SUSPENDED = "suspended"


class RetiredPasswordQuerySet(models.QuerySet):
    def retire(self, credential, digest, why, *, since):
        """Remember a password that is refused from now on; inside the transaction that makes it so."""
        row = self.model(
            domain_id=credential.domain_id,
            username=credential.username,
            label=credential.label,
            digest=digest,
            why=why,
            since=since,
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

    def forget(self, now):
        """Delete what is older than 90 days."""
        delete_free(self.filter(since__lt=now - RETIRED_KEPT_FOR))


class RetiredPassword(models.Model):
    """A password that a site may still hold, known by its digest alone (credentials/digests.py)."""

    # No constraints: what goes while logins are written may not make the writing fail.
    domain = models.ForeignKey(Domain, models.CASCADE, db_constraint=False, related_name="retired_passwords")
    username = models.CharField(max_length=32)
    label = models.CharField(max_length=MAX_LABEL, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    why = models.CharField(max_length=10, choices=Why)
    since = models.DateTimeField(db_index=True)

    objects = RetiredPasswordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["username", "digest"], name="retired_password_once")]

    def __str__(self):
        return f"{short(self.username)} {self.why}"
