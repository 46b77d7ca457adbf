"""The backup of every night: a file of its own in BACKUP_DIR, where old ones are deleted."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TextIO

from django.conf import settings
from django.core.management import CommandError, call_command

from operations.backups import first_line

KEEP_AT_LEAST = 7  # after a long time off, or with a wrong clock, the new one is not all that is left
# Those of the timer, and of sendlayer-upgrade and sendlayer-rollback, which begin with `before-`.
NAME = re.compile(r"(before-[\w.+~-]{1,50}-)?\d{4}-\d\d-\d\d-\d{6}\.zip")


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
        _delete_remains(folder, before=now - timedelta(days=1))
        return Written(file, file.stat().st_size)
    except OSError as error:
        raise CommandError(f"The backup is made, but old ones can't be deleted: {first_line(error)}.") from None


def _delete_old(folder, *, before):
    paths = (path for path in folder.iterdir() if NAME.fullmatch(path.name))
    backups = sorted((path.stat().st_mtime, path) for path in paths)
    for made_at, path in backups[:-KEEP_AT_LEAST]:
        if made_at < before.timestamp():
            path.unlink()


def _delete_remains(folder, *, before):
    """Delete what a backup has left whose process was killed: a copy of the database, or a part of the file."""
    for path in (*folder.glob(".*.zip.*.part"), *folder.glob(".backup-*")):
        if path.lstat().st_mtime < before.timestamp():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
