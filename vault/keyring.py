"""Whether CREDENTIAL_KEYS are the keys that sealed what is stored.

Each key that was ever used has a canary in the database, a known text sealed with it. A site
whose keys do not open every canary is sealed: it answers 503 and changes nothing. Otherwise it
would show no password, and would seal new ones with a key that nobody keeps.
"""

from django.conf import settings
from django.db import DatabaseError, models
from django.utils import timezone

from vault import cipher, registry

CANARY = "canary"


class KeyCanary(models.Model):
    key_id = models.CharField(max_length=32, primary_key=True)
    token = models.CharField(max_length=255)
    planted_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)  # from then on it may be missing (manage.py retire_key)

    class Meta:
        app_label = "credentials"
        verbose_name_plural = "key canaries"

    def __str__(self):
        return self.key_id


def problem() -> str:
    """Why these keys can't be used, without naming any key itself; "" when they can. Raises DatabaseError."""
    try:
        ring = cipher.parse(settings.CREDENTIAL_KEYS)
    except cipher.KeyringError as error:
        return f"CREDENTIAL_KEYS can't be used: {error}"
    canaries = list(KeyCanary.objects.order_by("key_id"))
    for canary in canaries:
        if canary.key_id not in ring and canary.retired_at:
            continue
        if canary.key_id not in ring:
            return f"CREDENTIAL_KEYS lacks the key {canary.key_id!r}, with which stored secrets are sealed"
        if why := _contradiction(canary):
            return why
    return "" if canaries else _problem_of_stored_secrets()


def contradiction(key_id: str) -> str:
    """Why this key of the ring is not the one of that name that was used here, "" when nothing says so."""
    canary = KeyCanary.objects.filter(key_id=key_id).first()
    return _contradiction(canary) if canary else ""


def plant() -> None:
    """Give each key of the ring its canary. Call it only while `problem` finds none."""
    known = set(KeyCanary.objects.values_list("key_id", flat=True))
    fresh = [key_id for key_id in cipher.parse(settings.CREDENTIAL_KEYS) if key_id not in known]
    # Conflicts: another server may start at the same time, maybe with another key.
    KeyCanary.objects.bulk_create(map(_canary, fresh), ignore_conflicts=True)
    # A retired key that seals again is needed again.
    KeyCanary.objects.filter(key_id=cipher.first_key(), retired_at__isnull=False).update(retired_at=None)


def examine() -> str | None:
    """Plant missing canaries and return `problem`; None when the database can't be queried."""
    try:
        found = problem()
        if found:
            return found
        plant()
        return problem()
    except DatabaseError:
        return None


def _problem_of_stored_secrets() -> str:
    """Try the oldest and the newest secret of each column, in a database from before the canaries."""
    for column in registry.sealed_columns():
        for row in column.ends():
            for token in column.tokens(row).values():
                try:
                    cipher.open(token, associated_data=column.associated_data(row))
                except cipher.CannotOpen as error:
                    return f"CREDENTIAL_KEYS does not open the stored {column.name}: {error}"
    return ""


def _contradiction(canary: KeyCanary) -> str:
    try:
        cipher.open(canary.token, associated_data=_associated_data(canary.key_id))
    except cipher.CannotOpen:
        return f"the key {canary.key_id!r} of CREDENTIAL_KEYS is not the one that was used here"
    return ""


def _canary(key_id: str) -> KeyCanary:
    token = cipher.seal_with(key_id, CANARY, associated_data=_associated_data(key_id))
    return KeyCanary(key_id=key_id, token=token)


def _associated_data(key_id: str) -> str:
    return f"canary:{key_id}"
