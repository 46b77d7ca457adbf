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
from audit.actor import Actor
from credentials.models import Credential
from credentials.models.deleted import DeletedCredential
from domains.models import Domain
from operations.backups import Refused, engine, first_line, previous_database, reapply, revocations, schema
from operations.backups import user_access as people
from operations.backups.exported_events import RESTORE
from vault import keyring

BY = Actor.system(RESTORE)
STANDS_FOR_ALL = ("accounts_user", "domains_domain", "audit_event")


@dataclass
class Outcome:
    """What became of it; the lines are for the operator, and hold no secret."""

    taken_at: datetime
    unknown: str  # why it is not known what was taken away since, "" when it is
    people: int = 0
    domains: int = 0
    credentials: int = 0
    suspended: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    invitations: int = 0
    letters: int = 0
    keys_problem: str = ""
    left: list[str] = field(default_factory=list)  # tables of the backup that its version does not have


def held(manifest) -> int:
    """How many people, domains and events the database holds. Raises Refused when it has strange tables."""
    try:
        tables = {name for name in connection.introspection.table_names() if not name.startswith("sqlite_")}
        known = schema.NEVER_LOADED | set(connection.introspection.django_table_names())
        known |= set(schema.tables(manifest["migrations"]))  # an older version had others
        if strange := sorted(tables - known):
            raise Refused(f"The database holds tables that are none of SendLayer's: {', '.join(strange[:5])}.")
        with connection.cursor() as cursor:
            return sum(_count(cursor, table) for table in tables.intersection(STANDS_FOR_ALL))
    except DatabaseError as error:
        raise Refused(
            f"The database can't be read: {first_line(error)}. Move it away (with SQLite: its file, and those "
            "ending in -wal and -shm) and restore into a new one."
        ) from None


def _count(cursor, table) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
    return cursor.fetchone()[0]


def when(taken_at: datetime) -> str:
    return f"{taken_at:%Y-%m-%d %H:%M:%S} UTC"


def restore(archive, manifest, *, events=(), suspend_all=False) -> Outcome:
    """Replace everything; then take away again what was taken away since. Raises Refused, DatabaseError.

    `events` are exported ones (events.read), beside what the replaced database tells.
    """
    kind = engine()
    with kind.loading(archive, manifest) as load, transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            kind.lock(cursor)
        outcome = Outcome(
            datetime.fromisoformat(manifest["taken_at"]), unknown=previous_database.keep(manifest)
        )
        outcome.left = load()
        call_command("migrate", interactive=False, verbosity=0)
        ContentType.objects.clear_cache()
        outcome.keys_problem = keyring.problem()
        # Without the right keys nothing can be chained; SMTP logins need none, so it goes on.
        with chain.left_out() if outcome.keys_problem else nullcontext():
            _take_back(outcome, events, suspend_all, is_authentic=not manifest.doubt)
            previous_database.drop()
            data = {"taken_at": manifest["taken_at"], "suspended": len(outcome.suspended)}
            data["authenticated"] = not manifest.doubt
            # A later restoring asks this, before it believes what this database tells.
            data["compared"] = bool(not outcome.unknown or events or suspend_all)
            audit.record(previous_database.RESTORED, by=BY, data=data)
        outcome.people, outcome.domains = User.objects.count(), Domain.objects.count()
        outcome.credentials = Credential.objects.count()
    return outcome


def _take_back(outcome, events, suspend_all, is_authentic):
    found, at = revocations.Since(), when(outcome.taken_at)
    if not outcome.unknown:
        outcome.others += people.as_at_last()
        found.add(revocations.by_database())
    found.add(revocations.by_events(events))
    if suspend_all:
        usernames = Credential.objects.filter(suspended_at=None).values_list("username", flat=True)
        found.credentials = dict.fromkeys(usernames, revocations.UNKNOWN) | found.credentials
        found.undone |= set(DeletedCredential.objects.values_list("username", flat=True))
    outcome.suspended += reapply.suspend(found, at, by=BY)
    outcome.others += reapply.suspend_deleted(found)
    outcome.others += reapply.suspend_domains(found.suspended_domains, at, by=BY)
    outcome.others += reapply.hold_names(found.suspended_names, at, by=BY)
    outcome.others += reapply.set_roles(found.roles, by=BY)
    outcome.others += [
        f"{name}: it was deleted after the backup, and is here again" for name in sorted(found.deleted_domains)
    ]
    # What another may have written invites nobody, and sends no link to whom it likes.
    counts = reapply.forget_what_is_over(known=is_authentic and not outcome.unknown)
    outcome.invitations, outcome.letters = counts
