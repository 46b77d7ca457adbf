"""Replaces the database by a backup, in one transaction: all of it, or nothing."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

import audit
from accounts.models import User
from audit import chain
from audit.models import Event
from credentials.models import Credential
from domains.models import Domain
from operations.backups import (
    BackupError,
    exported_events,
    first_line,
    previous_database,
    revocations,
    schema,
    user_access,
)
from operations.backups.engines import engine
from vault import keyring


@dataclass
class Report:
    """What a restore did; the lines are for the operator, and hold no secret."""

    taken_at: datetime
    unknown: str  # why it is not known what was revoked since, "" when it is
    people: int = 0
    domains: int = 0
    credentials: int = 0
    suspended: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    invitations: int = 0
    letters: int = 0
    hand_overs: int = 0
    keys_problem: str = ""
    ignored: list[str] = field(default_factory=list)  # tables of the backup that its version does not have


def count_held(manifest) -> int:
    """How many people, domains and events the database holds. Raises BackupError when it has other tables."""
    try:
        tables = set(schema.tables())
        known = schema.NEVER_LOADED | set(connection.introspection.django_table_names())
        known |= set(schema.created_by(manifest["migrations"]))  # an older version had others
        if unknown := sorted(tables - known):
            raise BackupError(
                f"The database holds tables that don't belong to SendLayer: {', '.join(unknown[:5])}."
            )
        return sum(model.objects.count() for model in (User, Domain, Event) if model._meta.db_table in tables)
    except DatabaseError as error:
        raise BackupError(
            f"The database can't be read: {first_line(error)}. Move it away (with SQLite: its file, and those "
            "ending in -wal and -shm) and restore into a new one."
        ) from None


def when(taken_at: datetime) -> str:
    return f"{taken_at:%Y-%m-%d %H:%M:%S} UTC"


def restore(archive, manifest, *, is_authentic, events=(), suspend_all=False) -> Report:
    """Replace everything; then revoke again what was revoked since. Raises BackupError, DatabaseError.

    `events` are exported ones (exported_events.read), beside what the replaced database shows.
    """
    tables, database = schema.created_by(manifest["migrations"]), engine()
    with (
        database.opened(archive, manifest, tables) as (columns, load),
        connection.constraint_checks_disabled(),  # of SQLite, which can't do it within a transaction
        transaction.atomic(durable=True),
    ):
        schema.refuse_other_columns(columns, tables)
        database.lock()
        report = Report(datetime.fromisoformat(manifest["taken_at"]), previous_database.keep(manifest))
        if not report.unknown:
            exported_events.replay(events)
        report.ignored = sorted(set(columns) - set(tables) - schema.NEVER_LOADED)
        schema.make_empty(manifest["migrations"], database.drop_all)
        load(tables)
        connection.check_constraints()
        call_command("migrate", interactive=False, verbosity=0)
        ContentType.objects.clear_cache()
        report.keys_problem = keyring.problem()
        # Without the right keys no event can be chained; SMTP logins need none, so the restore continues.
        with chain.unchained() if report.keys_problem else nullcontext():
            _revoke(report, events, suspend_all, is_authentic)
        report.people, report.domains = User.objects.count(), Domain.objects.count()
        report.credentials = Credential.objects.count()
    return report


def _revoke(report, events, suspend_all, is_authentic):
    if report.unknown:
        previous_database.copy()
        exported_events.replay(events)
    else:
        report.others += user_access.keep_latest()
    basis, is_sealed = revocations.after_restore(when(report.taken_at)), bool(report.keys_problem)
    report.suspended += revocations.suspend_credentials(basis, suspend_all=suspend_all, is_sealed=is_sealed)
    report.others += revocations.suspend_deleted(basis, suspend_all=suspend_all)
    report.others += revocations.suspend_domains(basis)
    report.others += revocations.set_roles(basis)
    user_access.end_sessions()
    report.hand_overs = revocations.end_hand_overs()
    # Letters and invitations of somebody else's file invite nobody, and send no link to anybody.
    counts = user_access.drop_outdated(is_known=is_authentic and not report.unknown)
    report.invitations, report.letters = counts
    previous_database.drop()
    data = {"taken_at": report.taken_at.isoformat(), "suspended": len(report.suspended)}
    data["authenticated"] = is_authentic
    # A later restore asks this before it believes what this database shows.
    data["compared"] = bool(not report.unknown or events or suspend_all)
    audit.record(previous_database.RESTORED_TAG, by=basis.by, data=data)
