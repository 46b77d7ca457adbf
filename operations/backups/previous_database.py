# ruff: noqa: S608  (names of tables and columns, from our models)
"""The database that is replaced, as far as it shows what was revoked since the backup.

Kept in temporary tables of the restoring transaction, `before_…`: nobody changes it between the look and the
replacement, and it takes no memory, however large it is. Where it can't be used, a copy of the restored tables
takes its place, and exported events are replayed there (exported_events.py): the comparison is the same.
"""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import DatabaseError, connection, transaction

from accounts.emails import Letter
from accounts.models import User
from audit.models import Event
from credentials.models import Credential
from credentials.models.deleted import DeletedCredential
from domains.models import Domain, Membership
from domains.models.invitation import Invitation
from operations.backups import first_line, schema
from operations.backups.manifest import newest_event

WAYS_IN = (EmailAddress, Authenticator, SocialAccount)
GRANTS = (User.groups.through, User.user_permissions.through)
COMPARED = (Credential, DeletedCredential, Domain, Membership, Invitation, User, Letter, *WAYS_IN, *GRANTS)
RESTORED_TAG = "system.restored"
WAS_EMPTY = "The replaced database was empty."


def keep(manifest) -> str:
    """Copy the database as it is now; return why it can't show what was revoked, "" when it can.

    Call it inside the transaction, before anything is replaced.
    """
    existing = schema.tables()
    if not any(model._meta.db_table in existing for model in COMPARED):
        return WAS_EMPTY
    try:
        with transaction.atomic():
            copy()
            return _problem(manifest["newest_event"])
    except DatabaseError as error:
        return f"The replaced database could not be read: {first_line(error)}."


def copy() -> None:
    """Copy the tables as they are now."""
    drop()
    for model in COMPARED:
        fields, table = model._meta.concrete_fields, model._meta.db_table
        columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
        query(f"CREATE TEMPORARY TABLE before_{table} AS SELECT {columns} FROM {table}")
        for field in fields:
            if field.unique:
                query(f"CREATE INDEX before_{table}_{field.column} ON before_{table} ({field.column})")


def drop() -> None:
    """Drop the copy, where the connection continues."""
    for model in COMPARED:
        query(f"DROP TABLE IF EXISTS before_{model._meta.db_table}")


def _problem(newest) -> str:
    if newest_event(query) is None:
        return WAS_EMPTY
    known = query("SELECT id, tag, at FROM audit_event WHERE id = %s", [int(newest[0])]) if newest else []
    if not known or [str(value) for value in known[0]] != newest:
        return "The replaced database does not continue from this backup."
    # One that was itself restored from a backup knows no more than was known then.
    restores = Event.objects.filter(tag=RESTORED_TAG, pk__gt=int(newest[0])).values_list("data", flat=True)
    if all(data["compared"] for data in restores):
        return ""
    return "The replaced database was itself restored from a backup, without knowing what was revoked since."


def query(sql, params=None) -> list[tuple]:
    """Run a statement, which may use the copy; return the rows that it gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []
