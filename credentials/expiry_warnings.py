"""Warnings to owners a week before a credential expires."""

from django.db import transaction
from django.db.models import F

from credentials.expiry import NEAR
from credentials.models import Credential


def warn_owners(now) -> int:
    """Write to the owners of credentials that expire within 7 days, once per date; return how many."""
    near = Credential.objects.without_secrets().filter(expires_at__gt=now, expires_at__lte=now + NEAR)
    unwarned = near.exclude(expiry_warned_for=F("expires_at")).select_related("domain")
    return sum(_warn(credential) for credential in unwarned.iterator())


def _warn(credential) -> bool:
    """Warn of one, unless its date was changed in the meantime or another run is faster."""
    expires_at = credential.expires_at
    with transaction.atomic():
        mine = Credential.objects.filter(pk=credential.pk, expires_at=expires_at)
        mine = mine.exclude(expiry_warned_for=expires_at)
        if not mine.update(expiry_warned_for=expires_at):
            return False
        credential.notify_owners_of_expiry()
    return True
