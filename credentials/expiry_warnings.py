"""Owners hear of an expiry date a week before it."""

from django.db import transaction
from django.db.models import F

from credentials.expiry import NEAR
from credentials.models import Credential


def warn_owners(now) -> int:
    """Write to the owners of what expires within 7 days, once for each date; return how many that are."""
    near = Credential.objects.without_secrets().filter(expires_at__gt=now, expires_at__lte=now + NEAR)
    untold = near.exclude(expiry_warned_for=F("expires_at")).select_related("domain")
    return sum(_warn(credential) for credential in untold.iterator())


def _warn(credential) -> bool:
    """Write about one; not when its date was changed meanwhile, or another run tells of it."""
    at = credential.expires_at
    with transaction.atomic():
        mine = Credential.objects.filter(pk=credential.pk, expires_at=at).exclude(expiry_warned_for=at)
        if not mine.update(expiry_warned_for=at):
            return False
        credential.tell_owners_of_expiry()
    return True
