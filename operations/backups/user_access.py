# ruff: noqa: S608  (the names of tables are written here)
"""How people may come in, in a restored database: as they could at last, not as at the time of the backup.

Else a passkey on a stolen telephone, or a mailbox that somebody else reads, would be a way in again.
"""

from collections.abc import Iterator

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import connection

from accounts.confirmed import confirm_unclaimed
from accounts.models import User
from operations.backups.previous_database import KEPT, rows

PEOPLE = """
    SELECT u.id, b.id, b.password, b.is_active, b.is_staff, b.is_superuser
    FROM accounts_user u LEFT JOIN before_accounts_user b ON b.id = u.id
    WHERE b.id IS NULL OR b.password <> u.password OR (u.is_active AND NOT b.is_active)
    OR (u.is_staff AND NOT b.is_staff) OR (u.is_superuser AND NOT b.is_superuser)
"""
# Else the next one might be that of a session of before.
EPOCHS = """
    UPDATE accounts_user SET session_epoch = (
        SELECT session_epoch FROM before_accounts_user b WHERE b.id = accounts_user.id
    ) WHERE id IN (SELECT id FROM before_accounts_user)
"""
ADDRESSES = """
    SELECT u.id, b.email FROM accounts_user u JOIN before_accounts_user b ON b.id = u.id
    WHERE b.email <> u.email
"""
KNOWN = "SELECT id FROM before_accounts_user"
RIGHTS = {User.groups.through: "group_id", User.user_permissions.through: "permission_id"}


def as_at_last() -> Iterator[str]:
    """Take it all over from the replaced database; yield a line for each whom that shuts out."""
    yield from _accounts()
    yield from _addresses()
    _run(EPOCHS)
    _ways_in()
    # Where the replaced database was of a version that did not note it yet.
    confirm_unclaimed(User.objects, EmailAddress.objects)
    for model, right in RIGHTS.items():
        _keep_what_still_stands(model._meta.db_table, right)


def _accounts():
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


def _addresses():
    changed = rows(ADDRESSES)
    # First none of them, then the new ones: two people may have exchanged theirs.
    for pk, _email in changed:
        User.objects.filter(pk=pk).update(email=f"{pk}@invalid")
    for pk, email in changed:
        if User.objects.filter(email=email).update(email=f"deleted-{pk}@invalid", is_active=False):
            yield f"{email} is another person's since the backup: who had it was deleted, and may not sign in"
        User.objects.filter(pk=pk).update(email=email)


def _ways_in():
    _run(f"DELETE FROM mfa_authenticator WHERE user_id IN ({KNOWN})")
    # Also of people who are gone: another may have their address, or their account at the provider.
    EmailAddress.objects.all().delete()
    SocialAccount.objects.all().delete()
    for model in (Authenticator, EmailAddress, SocialAccount):
        table = model._meta.db_table
        _run(
            f"INSERT INTO {table} ({KEPT[table]}) SELECT {KEPT[table]} FROM before_{table} "
            "WHERE user_id IN (SELECT id FROM accounts_user)"
        )


def _keep_what_still_stands(table, right):
    _run(
        f"DELETE FROM {table} WHERE user_id IN ({KNOWN}) AND NOT EXISTS (SELECT 1 FROM before_{table} b "
        f"WHERE b.user_id = {table}.user_id AND b.{right} = {table}.{right})"
    )


def _run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
