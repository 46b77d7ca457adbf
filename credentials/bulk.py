"""Acts on several SMTP users of a domain: all or none, an event for each, one letter to the owners."""

from contextlib import suppress
from typing import NamedTuple

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils import timezone

from credentials.models import PasswordChanged
from domains import notifications
from domains.models import Domain
from web.dates import how_long

EFFECTS = {
    "reset": "Every site or app that uses them needs the new password.",
    "suspended": "Every site or app that uses them is refused until they're resumed.",
    "deleted": "Every site or app that used them is now refused. You can restore them within 24 hours under "
    "Recently deleted. After that, they're erased.",
    "restored": "They're as they were before, with the same passwords.",
}


class Done(NamedTuple):
    """The result: the usernames that were changed, and how many were unchanged or gone."""

    usernames: list[str]
    unchanged: int
    gone: int


def suspend(domain, usernames, *, by) -> Done:
    """Suspend the SMTP users of a domain that have these usernames."""
    return _act(domain, domain.credentials, usernames, "suspended", by, lambda row: row.suspend(by=by))


def remove(domain, usernames, *, by) -> Done:
    """Delete them; each can be restored for 24 hours."""
    return _act(domain, domain.credentials, usernames, "deleted", by, lambda row: row.remove(by=by))


def restore(domain, usernames, *, by) -> Done:
    """Restore the deleted ones that can still be restored."""
    rows = domain.deleted_credentials.restorable(timezone.now())
    return _act(domain, rows, usernames, "restored", by, lambda row: row.restore(by=by))


def reset(domain, usernames, *, by, keep_old_for=None) -> Done:
    """Reset their passwords; the old ones work for `keep_old_for` (a timedelta) beside the new ones."""
    kept = f" The old ones work for another {how_long(keep_old_for)}." if keep_old_for else ""

    def act(row):
        try:
            row.reset_password(by=by, keep_old_for=keep_old_for)
        except PasswordChanged:
            return False

    return _act(domain, domain.credentials, usernames, "reset", by, act, EFFECTS["reset"] + kept)


@transaction.atomic
def _act(domain, rows, usernames, done, by, act, effect="") -> Done:
    if not Domain.objects.hold(domain.pk):
        raise Domain.DoesNotExist
    rows = rows.without_secrets().filter(username__in=usernames)
    # Lock all of them before the first event (audit/locks.py).
    rows = list(rows.order_by("pk").select_for_update())
    changed, unchanged = [], 0
    for row in rows:
        row.notifies_owners = len(rows) == 1
        with suppress(ObjectDoesNotExist):  # deleted in the meantime
            if act(row) is False:
                unchanged += 1
            else:
                changed.append(row)
    if changed and len(rows) > 1:
        link = ("credentials:list", domain.name)
        about = {"credentials": changed, "done": done, "effect": effect or EFFECTS[done]}
        notifications.notify_owners(domain, "credentials", "credentials_changed", link=link, by=by, **about)
    gone = len(set(usernames)) - len(changed) - unchanged
    return Done([row.username for row in changed], unchanged, gone)
