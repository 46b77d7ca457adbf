# ruff: noqa: S608  (the names of tables are those of models)
"""How people sign in after a restore: as they could most recently, not as at the time of the backup.

Otherwise a passkey on a stolen phone, or a mailbox that somebody else reads, would be a way in again.
"""

from collections.abc import Iterator
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import connection
from django.db.models import F

from accounts.confirmed import confirm_unclaimed
from accounts.emails import Letter
from accounts.models import User
from domains.models.invitation import Invitation
from operations.backups.previous_database import GRANTS, WAYS_IN, query

KNOWN = "SELECT id FROM before_accounts_user"
LOST = """
    SELECT u.email, b.id FROM accounts_user u LEFT JOIN before_accounts_user b ON b.id = u.id
    WHERE b.id IS NULL OR (u.is_active AND NOT b.is_active) OR (u.is_staff AND NOT b.is_staff)
    OR (u.is_superuser AND NOT b.is_superuser) ORDER BY u.email
"""
# The addresses of people who were deleted since, and that another person has by now.
TAKEN = f"""
    SELECT b.email FROM before_accounts_user b JOIN accounts_user u ON u.id = b.id
    WHERE b.email IN (SELECT email FROM accounts_user WHERE id NOT IN ({KNOWN}))
"""
USERS = (
    f"UPDATE accounts_user SET is_active = FALSE WHERE id NOT IN ({KNOWN})",
    f"""
    UPDATE accounts_user SET email = 'deleted-' || id || '@invalid'
    WHERE id NOT IN ({KNOWN}) AND email IN ({TAKEN})
    """,
    # Two people may have exchanged their addresses, so first nobody has one that changed.
    """
    UPDATE accounts_user SET email = id || '@invalid' WHERE id IN (
        SELECT u.id FROM accounts_user u JOIN before_accounts_user b ON b.id = u.id WHERE b.email <> u.email
    )
    """,
    """
    UPDATE accounts_user SET
        email = b.email, password = b.password, session_epoch = b.session_epoch,
        is_active = accounts_user.is_active AND b.is_active,
        is_staff = accounts_user.is_staff AND b.is_staff,
        is_superuser = accounts_user.is_superuser AND b.is_superuser
    FROM before_accounts_user b WHERE b.id = accounts_user.id
    """,
)
# An invitation may have been revoked since, or used; a letter was sent since, or given up.
OUTDATED = (
    """
    DELETE FROM domains_invitation WHERE id NOT IN (
        SELECT b.id FROM before_domains_invitation b WHERE b.key = domains_invitation.key
    ) RETURNING id
    """,
    "DELETE FROM accounts_letter WHERE id NOT IN (SELECT id FROM before_accounts_letter) RETURNING id",
)


def keep_latest() -> Iterator[str]:
    """Take all of it over from the replaced database; yield a line for each person who loses something."""
    for email, known in query(LOST):
        if known is None:
            yield f"{email} was deleted after the backup: may not sign in"
        else:
            yield f"{email} has no more rights than after the backup"
    for (email,) in query(TAKEN):
        yield f"{email} is another person's since the backup: its former owner was deleted, and may not sign in"
    for statement in USERS:
        query(statement)
    for model in WAYS_IN:
        _replace_rows(model)
    # Where the replaced database was of a version that did not note it yet.
    confirm_unclaimed(User.objects, EmailAddress.objects)
    for model in GRANTS:
        table = model._meta.db_table
        same = " AND ".join(f"b.{column} = {table}.{column}" for column in _columns(model))
        lost = f"NOT EXISTS (SELECT 1 FROM before_{table} b WHERE {same})"
        query(f"DELETE FROM {table} WHERE user_id IN ({KNOWN}) AND {lost}")


def _replace_rows(model):
    table = model._meta.db_table
    # Addresses and providers' accounts also of people who were deleted: another person may have them now.
    query(f"DELETE FROM {table}" + (f" WHERE user_id IN ({KNOWN})" if model is Authenticator else ""))
    columns = ", ".join(map(connection.ops.quote_name, _columns(model)))
    query(
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM before_{table} "
        "WHERE user_id IN (SELECT id FROM accounts_user)"
    )


def _columns(model) -> list[str]:
    return [field.column for field in model._meta.concrete_fields if not field.primary_key]


def end_sessions(users=User.objects) -> None:
    """End all sessions of users, and void their mailed links for a new password: one may have been used."""
    # The sessions themselves are not in a backup. A link is signed with the last sign-in, to the second.
    users.update(session_epoch=F("session_epoch") + 1, last_login=F("last_login") + timedelta(seconds=1))


def drop_outdated(*, is_known: bool) -> tuple[int, int]:
    """Delete the invitations and letters that the replaced database does not have; return how many.

    Where that is not known, all of them: to invite again costs a minute.
    """
    if is_known:
        invitations, letters = (len(query(statement)) for statement in OUTDATED)
        return invitations, letters
    return Invitation.objects.live().delete()[0], Letter.objects.all().delete()[0]
