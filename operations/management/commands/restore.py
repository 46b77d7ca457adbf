from datetime import datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from operations.backups import BackupError, archive, exported_events, first_line, manifest, printable, restore
from operations.management.commands.backup import stops_cleanly
from vault import cipher

MAX_LINES = 1000  # of a list; the rest is counted
INSUFFICIENT_PRIVILEGE = "42501"  # PostgreSQL's


class Command(BaseCommand):
    help = (
        "Restore the database from a backup, all of it or nothing. SMTP users whose password was reset or "
        "deleted since come back suspended, as far as the replaced database or exported events show. "
        "Everybody is signed out."
    )
    requires_system_checks = []  # it works without the keys, too: the server is sealed then

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="what `backup` wrote")
        parser.add_argument("--replace", action="store_true", help="replace a database that is not empty")
        parser.add_argument("--yes", action="store_true", help="do not ask, for scripts")
        parser.add_argument(
            "--events",
            type=Path,
            metavar="FILE",
            help="events exported since (JSON lines), to know what changed",
        )
        parser.add_argument(
            "--suspend-all", action="store_true", help="suspend every SMTP user, to be resumed one by one"
        )
        parser.add_argument(
            "--unauthenticated",
            action="store_true",
            help="restore a file that no key of CREDENTIAL_KEYS authenticates. Anybody who could write it "
            "decides what this server accepts and who signs in as whom. Only for a file that you know nobody "
            "else could change",
        )

    def handle(self, *, file, unauthenticated, **options):
        try:
            with (
                stops_cleanly(),
                archive.read(file, unauthenticated=unauthenticated) as (members, stated, doubt),
            ):
                report = self._restore(members, stated, doubt, **options)
        except BackupError as error:
            raise CommandError(f"{error} Nothing was changed.") from None
        except (OSError, DatabaseError, cipher.CannotOpen, cipher.KeyringError) as error:
            raise CommandError(f"Nothing was changed: {_message(error)}") from None
        self._report(report, bool(options["events"]), options["suspend_all"])

    def _restore(self, members, stated, doubt, *, replace, yes, events: Path | None, suspend_all, **options):
        manifest.refuse_unknown_version(stated)
        exported = exported_events.read(events, datetime.fromisoformat(stated["taken_at"])) if events else ()
        if doubt:
            self.stderr.write(f"{doubt} You vouch for it: --unauthenticated.")
        if missing := manifest.missing_keys(stated):
            self.stderr.write(
                f"CREDENTIAL_KEYS lacks {', '.join(missing)}, which it needs. Until they are back, the server "
                "is sealed and shows no password; SMTP logins continue."
            )
        if held := restore.count_held(stated):
            if not replace:
                raise BackupError(f"The database is not empty ({held} people, domains and events): --replace.")
            if not yes and not _is_confirmed(stated["taken_at"]):
                raise BackupError("Not confirmed.")
        return restore.restore(
            members, stated, is_authentic=not doubt, events=exported, suspend_all=suspend_all
        )

    def _report(self, report, has_events, suspend_all):
        self.stdout.write(
            f"Restored the backup of {restore.when(report.taken_at)}. People: {report.people}, domains: "
            f"{report.domains}, SMTP users: {report.credentials}. Everybody is signed out. Invitations "
            f"dropped: {report.invitations}, letters: {report.letters}. Hand-over links revoked: "
            f"{report.hand_overs}."
        )
        self._list("Suspended, until somebody has looked and resumes them:", report.suspended)
        self._list("Changed after the backup:", report.others)
        self._list("Not restored, since its version has no such tables:", report.ignored)
        if report.unknown:
            self.stderr.write(_warning(report.unknown, has_events, suspend_all))
        if report.keys_problem:
            self.stderr.write(f"The server is sealed: {report.keys_problem}.")
        self.stdout.write("Restart the dashboard and what runs beside it, then run verify_store.")

    def _list(self, title, lines):
        if lines:
            more = [f"… and {len(lines) - MAX_LINES} more"] if len(lines) > MAX_LINES else []
            self.stdout.write("\n  ".join([title, *map(printable, lines[:MAX_LINES]), *more]))


def _message(error) -> str:
    message = first_line(error)
    if getattr(error.__cause__, "sqlstate", "") == INSUFFICIENT_PRIVILEGE:
        return f"{message}. This role owns no table: use sendlayer-restore (deploy/README.md)."
    return message


def _is_confirmed(taken_at) -> bool:
    try:
        return input(f"Replace it by the backup of {taken_at}? [yes/no] ") == "yes"
    except EOFError:
        return False


def _warning(reason, has_events, suspend_all) -> str:
    if suspend_all:
        known = "That is why every SMTP user is suspended."
    elif has_events:
        known = "Only the exported events were used: what came after the last of them is not known."
    else:
        known = (
            "It can't be known which SMTP users were reset, deleted or suspended since: their old passwords "
            "work again. Review every one, or restore again with --events FILE or --suspend-all."
        )
    return f"{reason} {known} People sign in with the passwords and the rights of that time."
