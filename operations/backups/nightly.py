"""The backup of every night: a file of its own in BACKUP_DIR, where old ones are deleted."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TextIO

from django.conf import settings
from django.core.management import CommandError, call_command

from operations.backups import first_line

KEEP_AT_LEAST = 7  # after a long time off, or with a wrong clock, the new one is not all that is left
NAME = re.compile(r"\d{4}-\d\d-\d\d-\d{6}\.zip")  # as the timer of earlier versions wrote it, too


class Written(NamedTuple):
    path: Path
    size: int  # bytes


def make(stdout: TextIO) -> Written:
    """Write a backup, then delete those that are older than BACKUP_DAYS. Raises CommandError.

    The newest ones stay at any age, and so do files of other names.
    """
    if not settings.BACKUP_DIR:
        raise CommandError("Set BACKUP_DIR to the folder for backups.")
    folder, now = Path(settings.BACKUP_DIR), datetime.now(UTC)
    file = folder / f"{now:%Y-%m-%d-%H%M%S}.zip"
    call_command("backup", file, stdout=stdout)
    try:
        _delete_old(folder, before=now - timedelta(days=settings.BACKUP_DAYS))
        return Written(file, file.stat().st_size)
    except OSError as error:
        raise CommandError(f"The backup is made, but old ones can't be deleted: {first_line(error)}.") from None


def _delete_old(folder, *, before):
    backups = sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))
    for path in backups[:-KEEP_AT_LEAST]:
        if path.stat().st_mtime < before.timestamp():
            path.unlink()
