import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from operations.backups import BackupError, first_line, printable
from operations.failover import lost_events
from operations.failover.reconcile import reconcile
from operations.management.commands.restore import MAX_LINES

# A role that owns no table may not compare (deploy/postgres/app_role.sql).
RIGHTS = ". Use sendlayer-reconcile (deploy/cluster/failover.md)."


class Command(BaseCommand):
    help = (
        "After a failover: find the acts that were answered and that the new primary had not received, by what "
        "web nodes noted (EVENTS_LOG) or by the former primary, and revoke again what they revoked. SMTP users "
        "are suspended with a reason, for somebody to look and resume them. Run it again as often as you like."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "files", nargs="*", metavar="FILE", help="files or folders of EVENTS_LOG; - for input"
        )
        parser.add_argument(
            "--database",
            metavar="URL",
            help="the former primary, before it is made a standby; its password belongs into ~/.pgpass",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def handle(self, *, files, database, dry_run, **options):
        if not files and not database:
            raise CommandError("Name files of EVENTS_LOG, or the former primary: --database URL.")
        try:
            events = list(lost_events.of_files(files))
            events += lost_events.of_database(database) if database else ()
            report = reconcile(events, dry_run=dry_run)
        except BackupError as error:
            raise CommandError(f"{error} Nothing was changed.") from None
        except (OSError, UnicodeDecodeError, DatabaseError, psycopg.Error) as error:
            hint = RIGHTS if "permission denied" in str(error) else ""
            raise CommandError(f"Nothing was changed: {first_line(error)}{hint}") from None
        self._report(report, dry_run)

    def _report(self, report, dry_run):
        self.stdout.write(f"Events read: {report.read}, lost and not yet reconciled: {len(report.lost)}.")
        if dry_run and report.lost:
            self.stdout.write("Nothing was changed (--dry-run). Without it:")
        self._list("Lost:", report.lost)
        self._list("Suspended, until somebody has looked and resumes them:", report.suspended)
        self._list("Revoked again:", report.others)
        if report.lost and not dry_run:
            self.stdout.write("The rest of what was lost has to be done again by those who did it.")

    def _list(self, title, lines):
        if lines:
            more = [f"… and {len(lines) - MAX_LINES} more"] if len(lines) > MAX_LINES else []
            self.stdout.write("\n  ".join([title, *map(printable, lines[:MAX_LINES]), *more]))
