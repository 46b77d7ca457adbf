# ruff: noqa: S608  (the names of tables are written here)
"""Revokes again what was revoked and is lost: SMTP users, domains and members.

After a restore, what was revoked since the backup; after a failover, what the new primary had not received. The
copy of the database as it should be shows it (previous_database.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models.functions import Coalesce
from django.utils import timezone

import audit
from audit.actor import Actor
from credentials.models import Credential, HandOver
from credentials.models.base import short
from credentials.models.batches import chunks
from credentials.models.deleted import DeletedCredential
from domains.members import actions as members
from domains.models import Domain, Membership
from domains.names import display
from domains.roles import Role
from operations.backups.exported_events import RECONCILE, RESTORE
from operations.backups.previous_database import query

REASON_UNKNOWN = "what happened to it after that is not known"
# How each reason follows "Restored from a backup of …: ".
REVOKED = """
    SELECT username, why FROM (
        SELECT c.username, CASE
            WHEN b.username IS NULL THEN 'it was deleted after that'
            WHEN b.password_number <> c.password_number THEN 'its password was reset after that'
            WHEN b.suspended_by_support IS TRUE AND c.suspended_by_support IS NOT TRUE
                THEN 'it was suspended by support after that'
            WHEN b.suspended_at IS NOT NULL AND c.suspended_at IS NULL THEN 'it was suspended after that'
            WHEN b.allowed_networks <> c.allowed_networks THEN 'its allowed networks were changed after that'
            WHEN b.expires_at < COALESCE(c.expires_at, '9999-12-31')
                THEN 'its expiry date was changed after that'
            WHEN c.previous_valid_until > COALESCE(b.previous_valid_until, '1970-01-01')
                THEN 'its old password was revoked after that'
        END AS why
        FROM credentials_credential c LEFT JOIN before_credentials_credential b ON b.username = c.username
    ) AS found WHERE why IS NOT NULL
"""
SUSPENDED_BY_SUPPORT = """
    SELECT username FROM before_credentials_credential WHERE suspended_by_support IS TRUE
    UNION SELECT username FROM before_credentials_deletedcredential WHERE suspended_by_support IS TRUE
"""
# Deleted at the time of the backup, and restored after it.
UNDONE = """
    SELECT c.username FROM credentials_deletedcredential c
    JOIN before_credentials_credential b ON b.username = c.username
"""
ERASED = """
    DELETE FROM credentials_deletedcredential AS d
    WHERE NOT EXISTS (SELECT 1 FROM before_credentials_deletedcredential b WHERE b.username = d.username)
    AND NOT EXISTS (SELECT 1 FROM before_credentials_credential b WHERE b.username = d.username)
"""
# One that was deleted since is suspended, too, where the name was added again and then suspended.
SUSPENDED_DOMAINS = """
    SELECT d.id FROM domains_domain d LEFT JOIN before_domains_domain b ON b.id = d.id
    WHERE d.suspended_at IS NULL AND (
        b.suspended_at IS NOT NULL
        OR (b.id IS NOT NULL AND b.authorized_at IS NULL AND d.authorized_at IS NOT NULL)
        OR (b.id IS NULL AND EXISTS (
            SELECT 1 FROM before_domains_domain s WHERE s.name = d.name AND s.suspended_at IS NOT NULL
        ))
    )
"""
SUSPENDED_NAMES = "SELECT name FROM before_domains_domain WHERE suspended_at IS NOT NULL"
DELETED_DOMAINS = """
    SELECT d.name FROM domains_domain d LEFT JOIN before_domains_domain b ON b.id = d.id
    WHERE b.id IS NULL ORDER BY d.name
"""
CHANGED_ROLES = """
    SELECT m.id, b.role FROM domains_membership m JOIN before_domains_domain d ON d.id = m.domain_id
    LEFT JOIN before_domains_membership b ON b.user_id = m.user_id AND b.domain_id = m.domain_id
    WHERE b.role IS NULL OR b.role <> m.role
"""


@dataclass(frozen=True)
class Basis:
    """Why something is revoked again: the actor, how each reason begins, and the words for both times."""

    by: Actor
    reason: str
    here: str  # as the database was found
    later: str  # as it was most recently


def after_restore(when: str) -> Basis:
    reason = f"Restored from a backup of {when}"
    return Basis(Actor.system(RESTORE), reason, here="at the backup", later="after the backup")


def after_failover(when: str) -> Basis:
    """`when` is the time of the first act that was lost."""
    reason = f"A failover lost what was done from {when} on"
    return Basis(Actor.system(RECONCILE), reason, here="on the new server", later="before the failover")


def suspend_credentials(basis: Basis, *, suspend_all: bool = False, is_sealed: bool = False) -> Iterator[str]:
    """Suspend the SMTP users of which something was revoked; yield a line each for the operator."""
    reasons, by_support = dict(query(REVOKED)), _names(SUSPENDED_BY_SUPPORT)
    if suspend_all:
        active = Credential.objects.filter(suspended_at=None).values_list("username", flat=True)
        reasons = dict.fromkeys(active, REASON_UNKNOWN) | reasons
    for usernames in chunks(sorted(reasons)):
        wanted = Credential.objects.filter(username__in=usernames).select_related("domain")
        for credential in wanted.without_secrets().order_by("username"):
            reason = reasons[credential.username]
            credential.notifies_owners = not is_sealed  # without the right keys no letter can be sealed
            as_support = credential.username in by_support
            done = credential.suspend(by=basis.by, reason=f"{basis.reason}: {reason}", as_support=as_support)
            yield f"{_described(credential)}: {reason}{'' if done else '; it was suspended already'}"


def suspend_deleted(basis: Basis, *, suspend_all: bool = False) -> Iterator[str]:
    """Let deleted SMTP users come back suspended at Undo; yield a line each.

    Those that were restored after the backup, and those that support suspended after it. What was erased after
    it is erased again.
    """
    query(ERASED)
    by_support = _names(SUSPENDED_BY_SUPPORT)
    usernames = _names(UNDONE) | by_support
    if suspend_all:
        usernames |= set(DeletedCredential.objects.values_list("username", flat=True))
    suspended_at = Coalesce("suspended_at", timezone.now())
    for chunk in chunks(sorted(usernames)):
        rows = DeletedCredential.objects.filter(username__in=chunk)
        rows.filter(username__in=by_support.intersection(chunk)).update(suspended_by_support=True)
        rows.update(suspended_at=suspended_at)
        for credential in rows.select_related("domain").without_secrets().order_by("username"):
            yield f"{_described(credential)}: deleted, as {basis.here}, and suspended when it is restored"


def end_hand_overs() -> int:
    """Revoke all open hand-over links, which may have been opened since; return how many.

    To make one again costs a minute.
    """
    now = timezone.now()
    return HandOver.objects.unused(now).update(revoked_at=now)


def suspend_domains(basis: Basis) -> Iterator[str]:
    """Suspend domains as they were most recently; yield a line each."""
    deleted = query(DELETED_DOMAINS)
    for domain in Domain.objects.filter(pk__in=[pk for (pk,) in query(SUSPENDED_DOMAINS)]).order_by("name"):
        if domain.suspend(by=basis.by, reason=f"{basis.reason}: it was suspended after that"):
            yield f"{domain.name}: suspended, as it was {basis.later}"
    yield from _hold_names(basis)
    for (name,) in deleted:
        yield f"{name}: it was deleted {basis.later}, and is here again"


def _hold_names(basis) -> Iterator[str]:
    """Keep names suspended whose suspended domain is not here: added again, it would send.

    The domain has no member; support resumes it.
    """
    suspended = Domain.objects.filter(suspended_at__isnull=False).values_list("name", flat=True)
    for name in sorted(_names(SUSPENDED_NAMES).difference(suspended)):
        domain = Domain.objects.create(name=name, display_name=display(name))
        audit.record("domain.added", by=basis.by, domain=domain)
        domain.suspend(by=basis.by, reason=f"{basis.reason}: the name was suspended after that")
        yield f"{name}: added without members and suspended, as the name was {basis.later}"


def set_roles(basis: Basis) -> Iterator[str]:
    """Give members the role that they had most recently, or none; yield a line each."""
    rows = Membership.objects.select_related("user", "domain")
    # Owners first: otherwise a member who transferred a domain would be its last one.
    for pk, role in sorted(query(CHANGED_ROLES), key=lambda row: (row[1] != Role.OWNER, row[0])):
        membership = rows.get(pk=pk)
        member = f"{membership.domain.name}: {membership.user.email}"
        try:
            if role is None:
                members.remove(membership, by=basis.by)
                yield f"{member} is removed from the members, as {basis.later}"
            else:
                members.change_role(membership, Role(role), by=basis.by)
                yield f"{member} is {Role(role).label.lower()}, as {basis.later}"
        except members.LastOwner:
            yield f"{member} was removed or demoted {basis.later}, but is its only owner now: look into it"


def _names(sql) -> set[str]:
    return {name for (name,) in query(sql)}


def _described(credential) -> str:
    label = f" ({credential.label})" if credential.label else ""
    return f"{short(credential.username)} of {credential.domain.name}{label}"
