# ruff: noqa: S608  (the names of tables are written here)
"""Takes away again, in a restored database, what was taken away since the backup."""

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

import audit
from accounts.emails import Letter
from accounts.models import User
from credentials.models import Credential
from credentials.models.base import short
from credentials.models.batches import chunks
from credentials.models.deleted import DeletedCredential
from domains.members import actions as members
from domains.models import Domain, Membership
from domains.models.invitation import Invitation
from domains.names import display
from domains.roles import Role
from operations.backups.revocations import REASONS, Since
from vault import keyring

BATCH = 500

# Conditions on the rows that do not still stand in the replaced database.
NOT_STILL = {
    Invitation: "id NOT IN (SELECT b.id FROM before_domains_invitation b WHERE b.key = domains_invitation.key)",
    Letter: "id NOT IN (SELECT id FROM before_accounts_letter)",
    DeletedCredential: """
        username NOT IN (SELECT username FROM before_credentials_deletedcredential)
        AND username NOT IN (SELECT username FROM before_credentials_credential)
    """,
}


def suspend(found: Since, when: str, *, by) -> Iterator[str]:
    """Suspend the SMTP users of `found.credentials`, by support those of `found.by_support`.

    Yield a line each for the operator.
    """
    told = _keys_work()
    for usernames in chunks(sorted(found.credentials), BATCH):
        wanted = Credential.objects.filter(username__in=usernames).select_related("domain")
        for credential in wanted.without_secrets().order_by("username"):
            why = REASONS[found.credentials[credential.username]]
            as_support = credential.username in found.by_support
            done = _suspend(credential, f"Restored from a backup of {when}: {why}", by, told, as_support)
            yield f"{_named(credential)}: {why}{'' if done else '; it was suspended already'}"


def _suspend(credential, reason, by, told, as_support) -> bool:
    if told:
        return credential.suspend(by=by, reason=reason, as_support=as_support)
    # Without the right keys nothing can be sealed, so no letter is written.
    if not _mark(Credential.objects.filter(pk=credential.pk), as_support):
        return False
    data = {"label": credential.label, "reason": reason}
    audit.record(
        "credential.suspended", by=by, domain=credential.domain, credential=credential.username, data=data
    )
    return True


def _mark(rows, as_support) -> int:
    """Write into rows that they are suspended; what support suspends it takes over from members."""
    rows = rows.exclude(suspended_by_support=True)
    rows = rows if as_support else rows.filter(suspended_at=None)
    at = Coalesce("suspended_at", timezone.now())
    return rows.update(suspended_at=at, suspended_by_support=as_support or None)


def suspend_deleted(found: Since) -> Iterator[str]:
    """Let those of `found.undone`, and those that support suspended since, come back suspended at Undo.

    They were deleted at the time of the backup. Yield a line each.
    """
    for chunk in chunks(sorted(found.undone | found.by_support), BATCH):
        wanted = DeletedCredential.objects.filter(username__in=chunk).select_related("domain")
        for credential in wanted.without_secrets().order_by("username"):
            _mark(DeletedCredential.objects.filter(pk=credential.pk), credential.username in found.by_support)
            yield f"{_named(credential)}: it is deleted, as at the backup, and suspended when it is restored"


def _named(credential) -> str:
    label = f" ({credential.label})" if credential.label else ""
    return f"{short(credential.username)} of {credential.domain.name}{label}"


def _keys_work() -> bool:
    return not keyring.problem()


def suspend_domains(pks, when, *, by) -> Iterator[str]:
    for domain in Domain.objects.filter(pk__in=pks).order_by("name"):
        if domain.suspend(by=by, reason=f"Restored from a backup of {when}: it was suspended after that"):
            yield f"{domain.name}: suspended, as it was after the backup"


def hold_names(names, when, *, by) -> Iterator[str]:
    """Keep names suspended whose suspended domain is not in the backup: added again, it would send.

    The domain has no member; support resumes it.
    """
    held = Domain.objects.filter(name__in=names, suspended_at__isnull=False).values_list("name", flat=True)
    for name in sorted(set(names) - set(held)):
        domain = Domain.objects.create(name=name, display_name=display(name))
        audit.record("domain.added", by=by, domain=domain)
        domain.suspend(by=by, reason=f"Restored from a backup of {when}: the name was suspended after that")
        yield f"{name}: added without members and suspended, as the name was after the backup"


def set_roles(roles: dict[int, str | None], *, by) -> Iterator[str]:
    """Give members the role that they had at last, or none; yield a line each for the operator."""
    rows = Membership.objects.select_related("user", "domain")
    # Owners first: else whom a domain was transferred from would be its last one.
    for pk, role in sorted(roles.items(), key=lambda item: (item[1] != Role.OWNER, item[0])):
        membership = rows.get(pk=pk)
        who = f"{membership.domain.name}: {membership.user.email}"
        try:
            if role is None:
                members.remove(membership, by=by)
                yield f"{who} is removed from the members, as after the backup"
            else:
                members.change_role(membership, Role(role), by=by)
                yield f"{who} is {Role(role).label.lower()}, as after the backup"
        except members.LastOwner:
            yield f"{who} was removed or demoted after the backup, but is its only owner now: look into it"


def forget_what_is_over(*, known: bool) -> tuple[int, int]:
    """Delete invitations and letters that do not still stand in the replaced database; return how many.

    An invitation may have been revoked since, or used; a letter was sent since, or given up. Where
    that is not known, all of them go: to invite again costs a minute. All sessions end, and all links that
    were mailed for a new password: one that was used since would else work once more.
    """
    # The sessions themselves are not in a backup. A link is signed with the last sign-in, to the second.
    User.objects.update(session_epoch=F("session_epoch") + 1, last_login=F("last_login") + timedelta(seconds=1))
    if known:
        invitations, letters, _erased = map(_forget, NOT_STILL)
    else:
        invitations, letters = Invitation.objects.live().delete()[0], Letter.objects.all().delete()[0]
    return invitations, letters


def _forget(model) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE {NOT_STILL[model]}")
        return cursor.rowcount
