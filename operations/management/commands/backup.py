import signal
import sys
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from operations.backups import BackupError, archive, first_line, trailer
from operations.backups.engines import engine


class Command(BaseCommand):
    help = (
        "Write the whole database into one file, as it is at one moment, while the site runs. Keys are not "
        "in it: keep them apart, without them its passwords can't be shown. Sessions are not in it either. "
        "The first of CREDENTIAL_KEYS authenticates it: restore refuses what was changed since."
    )
    requires_system_checks = []  # a sealed server can be backed up too

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="the file to write, readable by its owner only")
        parser.add_argument("--force", action="store_true", help="replace a file that exists already")

    def handle(self, *, file, force, **options):
        try:
            key_id, why_not = trailer.signing_key()
            with stops_cleanly(), archive.create(file, force=force, key_id=key_id) as written:
                manifest = engine().dump(written, file.parent)
        except BackupError as error:
            raise CommandError(str(error)) from None
        except (OSError, DatabaseError) as error:
            raise CommandError(f"There is no backup: {first_line(error)}.") from None
        rows = sum(manifest["counts"].values())
        self.stdout.write(f"{file}: {rows} rows, as they were at {manifest['taken_at']}.")
        if why_not:
            self.stderr.write(
                f"It is not authenticated ({why_not}): anybody who can write the file can change it unnoticed. "
                "Keep it where nobody else can. Restoring it takes --unauthenticated."
            )
        if keys := manifest["keys"]:
            self.stdout.write(f"Keep apart from it: CREDENTIAL_KEYS ({', '.join(keys)}) and SECRET_KEY.")


@contextmanager
def stops_cleanly():
    """Let a SIGTERM end this process as Ctrl-C does, so that no half file stays."""
    was = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, was)
