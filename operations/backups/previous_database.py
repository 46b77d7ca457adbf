# ruff: noqa: S608  (names of tables and columns, from below)
"""The database that is replaced, as far as it tells what was taken away since the backup.

Kept in temporary tables of the restoring transaction: nobody changes it between the look and the
replacement, and it takes no memory, however large it is.
"""

import json

from django.db import DatabaseError, connection, transaction

from operations.backups import first_line
from operations.backups.manifest import newest_event

KEPT = {
    "credentials_credential": (
        "username, password_number, suspended_at, suspended_by_support, expires_at, allowed_networks, "
        "previous_valid_until"
    ),
    "credentials_deletedcredential": "username, suspended_by_support",
    "domains_domain": "id, name, authorized_at, suspended_at",
    "domains_membership": "user_id, domain_id, role",
    "domains_invitation": "id, key",
    "accounts_user": "id, email, password, is_active, is_staff, is_superuser, session_epoch",
    "accounts_user_groups": "user_id, group_id",
    "accounts_user_user_permissions": "user_id, permission_id",
    "accounts_letter": "id",
    # The whole row but its primary key: they are put back.
    "account_emailaddress": 'user_id, email, verified, "primary"',
    "mfa_authenticator": "user_id, type, data, created_at, last_used_at",
    "socialaccount_socialaccount": "user_id, provider, uid, last_login, date_joined, extra_data",
}
RESTORED = "system.restored"
EMPTY = "The replaced database was empty."


def keep(manifest) -> str:
    """Keep what is needed of the database as it is now; return why it can't tell, "" when it can.

    Call it inside the transaction, before anything is replaced.
    """
    if not set(KEPT) & set(connection.introspection.table_names()):
        return EMPTY
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for table, columns in KEPT.items():
                cursor.execute(f"CREATE TEMPORARY TABLE before_{table} AS SELECT {columns} FROM {table}")
            return _why_not(cursor, manifest["newest_event"])
    except DatabaseError as error:
        return f"The replaced database could not be asked: {first_line(error)}."


def drop() -> None:
    """Forget what `keep` kept, where the connection goes on."""
    with connection.cursor() as cursor:
        for table in KEPT:
            cursor.execute(f"DROP TABLE IF EXISTS before_{table}")


def _why_not(cursor, newest) -> str:
    def ask(sql, *params):
        cursor.execute(sql, params or None)
        return cursor.fetchall()

    if newest_event(ask) is None:
        return EMPTY
    known = ask("SELECT id, tag, at FROM audit_event WHERE id = %s", int(newest[0])) if newest else []
    if not known or [str(value) for value in known[0]] != newest:
        return "The replaced database does not go on from this backup."
    # One that was itself restored, from a backup, knows no more than was known then.
    told = ask("SELECT data FROM audit_event WHERE tag = %s AND id > %s", RESTORED, int(newest[0]))
    if all(json.loads(data)["compared"] if isinstance(data, str) else data["compared"] for (data,) in told):
        return ""
    return "The replaced database was itself restored from a backup, without knowing what was taken away since."


def rows(sql, *params) -> list[tuple]:
    """What a question about both answers."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall()
