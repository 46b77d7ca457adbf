"""A copy of each event on this machine's disk: written after the COMMIT of its act, before the act is answered.

Replication is asynchronous, so a standby that becomes the primary may lack the last acts. One file a day (UTC),
of JSON lines as `restore --events` reads them: no address and no browser, which nothing here needs.
"""

import json
import logging
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction

from audit import chain

KEPT_FOR = timedelta(days=14)
SUFFIX = ".jsonl"
FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
COLUMNS = ("id", "tag", "actor_name", "domain_name", "credential", "data")

log = logging.getLogger(__name__)


def note(instance, created, raw, using, **signal):
    """Note an Event when its transaction has committed; connected to its post_save."""
    if settings.EVENTS_LOG and created and not raw:
        transaction.on_commit(partial(_write, _line(instance)), using=using, robust=True)


def is_writable() -> bool:
    """Whether the next event can be noted: today's file can be opened, and its disk has room."""
    try:
        os.close(_open())
        return os.statvfs(settings.EVENTS_LOG).f_bavail > 0
    except OSError:
        return False


def _line(event) -> bytes:
    columns = {name: getattr(event, name) for name in COLUMNS} | {"at": chain.timestamp(event.at)}
    return json.dumps(columns, sort_keys=True).encode() + b"\n"


def _write(line):
    """Append a line; the act is done already, so it doesn't fail with the file."""
    try:
        file = _open()
        try:
            # One write, so that lines of several processes don't mix.
            if os.write(file, line) < len(line):
                os.write(file, b"\n")
                raise OSError("the disk is full")
        finally:
            os.close(file)
    except OSError as error:
        log.warning("An event is missing in EVENTS_LOG, so a failover may lose its act: %s", error)


def _open() -> int:
    folder, today = Path(settings.EVENTS_LOG), datetime.now(UTC).date()
    path = folder / f"{today}{SUFFIX}"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget(folder, f"{today - KEPT_FOR}{SUFFIX}")
    return os.open(path, FLAGS, 0o600)


def _forget(folder, oldest):
    for path in folder.glob(f"????-??-??{SUFFIX}"):
        if path.name < oldest:
            with suppress(OSError):  # another process did it
                path.unlink()
