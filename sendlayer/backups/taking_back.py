# ruff: noqa: S608  (the names of tables are written here)
"""Takes away again, in a restored database, what was taken away since the backup."""

from collections.abc import Iterator

from django.db import connection
from django.db.models import F
from django.utils import timezone

import audit
from accounts.letters import Letter
from accounts.models import User
from credentials import keyring
from credentials.counting import chunks
from credentials.deleted import DeletedCredential
from credentials.lasting import short
from credentials.models import Credential
from domains import members
from domains.invitations import Invitation
from domains.models import Domain, Membership
from domains.roles import Role
from sendlayer.backups.before import rows
from sendlayer.backups.since import REASONS

BATCH = 500

PEOPLE = """
    SELECT u.id, b.id, b.password, b.is_active, b.is_staff, b.is_superuser
    FROM accounts_user u LEFT JOIN before_accounts_user b ON b.id = u.id
    WHERE b.id IS NULL OR b.password <> u.password OR (u.is_active AND NOT b.is_active)
    OR (u.is_staff AND NOT b.is_staff) OR (u.is_superuser AND NOT b.is_superuser)
"""
# Conditions on the rows that do not still stand in the replaced database.
NOT_STILL = {
    Invitation: "id NOT IN (SELECT b.id FROM before_domains_invitation b WHERE b.key = domains_invitation.key)",
    Letter: "id NOT IN (SELECT id FROM before_accounts_letter)",
    DeletedCredential: """
        username NOT IN (SELECT username FROM before_credentials_deletedcredential)
        AND username NOT IN (SELECT username FROM before_credentials_credential)
    """,
}


def suspend(found: dict[str, str], when: str, *, by) -> Iterator[str]:
    """Suspend these SMTP users, username → why; yield a line each for the operator."""
    told = _keys_work()
    for usernames in chunks(sorted(found), BATCH):
        wanted = Credential.objects.filter(username__in=usernames).select_related("domain")
        for credential in wanted.without_secrets().order_by("username"):
            why = REASONS[found[credential.username]]
            done = _suspend(credential, f"Restored from a backup of {when}: {why}", by, told)
            label = f" ({credential.label})" if credential.label else ""
            already = "" if done else "; it was suspended already"
            yield f"{short(credential.username)} of {credential.domain.name}{label}: {why}{already}"


def _suspend(credential, reason, by, told) -> bool:
    if told:
        return credential.suspend(by=by, reason=reason)
    # Without the right keys nothing can be sealed, so no letter is written.
    live = Credential.objects.filter(pk=credential.pk, suspended_at=None)
    if not live.update(suspended_at=timezone.now()):
        return False
    data = {"label": credential.label, "reason": reason}
    audit.record(
        "credential.suspended", by=by, domain=credential.domain, credential=credential.username, data=data
    )
    return True


def _keys_work() -> bool:
    return not keyring.problem()


def suspend_domains(pks, when, *, by) -> Iterator[str]:
    for domain in Domain.objects.filter(pk__in=pks).order_by("name"):
        if domain.suspend(by=by, reason=f"Restored from a backup of {when}: it was suspended after that"):
            yield f"{domain.name}: suspended, as it was after the backup"


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


def set_people() -> Iterator[str]:
    """Take over the passwords and the rights that people had at last; yield a line for whom that shuts out."""
    for pk, known, password, *rights in rows(PEOPLE):
        user = User.objects.get(pk=pk)
        if known is None:
            user.is_active = False
            yield f"{user.email} was deleted after the backup: may not sign in"
        else:
            user.password = password
            was = (user.is_active, user.is_staff, user.is_superuser)
            now = [had and bool(has) for had, has in zip(was, rights, strict=True)]
            user.is_active, user.is_staff, user.is_superuser = now
            if tuple(now) != was:
                yield f"{user.email} has no more rights than after the backup"
        user.save(update_fields=["password", "is_active", "is_staff", "is_superuser"])


def forget_what_is_over(*, known: bool) -> tuple[int, int]:
    """Delete invitations and letters that do not still stand in the replaced database; return how many.

    An invitation may have been revoked since, or used; a letter was sent since, or given up. Where
    that is not known, all of them go: to invite again costs a minute. All sessions end.
    """
    # The sessions themselves are not in a backup.
    User.objects.update(session_epoch=F("session_epoch") + 1)
    if known:
        invitations, letters, _erased = map(_forget, NOT_STILL)
    else:
        invitations, letters = Invitation.objects.live().delete()[0], Letter.objects.all().delete()[0]
    return invitations, letters


def _forget(model) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE {NOT_STILL[model]}")
        return cursor.rowcount
