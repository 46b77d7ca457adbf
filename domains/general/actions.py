"""The acts of the General tab: renaming and deleting a domain."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

import audit
from domains import notifications
from domains.models import Domain, NameSuspended
from web import text

RECENT_USE = timedelta(hours=24)


@transaction.atomic
def rename(domain, title, *, by):
    """Set the display name; a blank one removes it. Raises ValidationError, Domain.DoesNotExist."""
    title, old = text.clean(title), domain.title
    if title == old:
        return
    if not Domain.objects.filter(pk=domain.pk).update(title=title):
        raise Domain.DoesNotExist
    domain.title = title
    audit.record("domain.renamed", by=by, domain=domain, data={"title": title, "before": old})


def count_deleted(domain) -> dict:
    """Count what is deleted with a domain: its credentials and which are in use, members and invitations.

    `deleted` are the credentials that could still be restored.
    """
    recently = Q(last_used_at__gt=timezone.now() - RECENT_USE)
    credentials = domain.credentials.aggregate(
        # last_used_at is last: it hides the column of that name from what comes after it.
        credentials=Count("pk"),
        used_recently=Count("pk", filter=recently),
        last_used_at=Max("last_used_at"),
    )
    return credentials | {
        "deleted": domain.deleted_credentials.restorable(timezone.now()).count(),
        "members": domain.memberships.count(),
        "invitations": domain.invitations.vouched().count(),
    }


@transaction.atomic
def delete(domain, *, by):
    """Delete a domain and everything of it but its events.

    Raises Domain.DoesNotExist, and NameSuspended while support has suspended it: it could be added again, and
    would send again.
    """
    Domain.objects.hold(domain.pk)
    # In the order of audit/locks.py: some of these rows are changed without holding the domain.
    for name in ("dns_records", "memberships", "invitations", "deleted_credentials", "credentials"):
        list(getattr(domain, name).order_by("pk").select_for_update().values_list("pk"))
    # Locks the whole row: an act that adds to the domain waits for this, and then finds the domain gone.
    held = Domain.objects.select_for_update().get(pk=domain.pk)
    if held.suspended_at:
        raise NameSuspended(held.name)
    counts = count_deleted(held)
    notifications.notify_owners(held, "credentials", "domain_deleted", by=by, counts=counts)
    Domain.objects.filter(pk=held.pk).delete()
    data = {name: counts[name] for name in ("credentials", "members")}
    audit.record("domain.deleted", by=by, domain=held, data=data)
