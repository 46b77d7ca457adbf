"""What the General tab tells and does: the name people know a domain by, and the end of it."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

import audit
from domains import notifications
from domains.models import Domain, NameSuspended
from web import text

LATELY = timedelta(hours=24)


@transaction.atomic
def rename(domain, title, *, by):
    """Set the display name; blank removes it. Raises ValidationError, Domain.DoesNotExist."""
    title, old = text.clean(title), domain.title
    if title == old:
        return
    if not Domain.objects.filter(pk=domain.pk).update(title=title):
        raise Domain.DoesNotExist
    domain.title = title
    audit.record("domain.renamed", by=by, domain=domain, data={"title": title, "before": old})


def what_dies(domain) -> dict:
    """What goes with a domain: how many credentials, members and invitations, and what is in use.

    `deleted` are the credentials that could still be restored.
    """
    lately = Q(last_used_at__gt=timezone.now() - LATELY)
    used = domain.credentials.aggregate(
        # The last one comes last: its name is that of the column which the others look at.
        credentials=Count("pk"),
        used_lately=Count("pk", filter=lately),
        last_used_at=Max("last_used_at"),
    )
    return used | {
        "deleted": domain.deleted_credentials.restorable(timezone.now()).count(),
        "members": domain.memberships.count(),
        "invitations": domain.invitations.vouched().count(),
    }


@transaction.atomic
def delete(domain, *, by):
    """Delete a domain and all that hangs on it; its events stay.

    Raises Domain.DoesNotExist, and NameSuspended where support suspended it: added again,
    it would send again.
    """
    Domain.objects.hold(domain.pk)
    # What goes with it, in the order of audit/locks.py: some of it is changed by who holds no domain.
    for name in ("dns_records", "memberships", "invitations", "deleted_credentials", "credentials"):
        list(getattr(domain, name).order_by("pk").select_for_update().values_list("pk"))
    # The lock of the whole row: who adds to the domain meanwhile waits, and then finds it gone.
    held = Domain.objects.select_for_update().get(pk=domain.pk)
    if held.suspended_at:
        raise NameSuspended(held.name)
    counts = what_dies(held)
    notifications.notify_owners(held, "credentials", "domain_deleted", by=by, counts=counts)
    Domain.objects.filter(pk=held.pk).delete()
    data = {name: counts[name] for name in ("credentials", "members")}
    audit.record("domain.deleted", by=by, domain=held, data=data)
