"""The events that may be lost: those that web nodes noted, or those of the former primary itself."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path

import psycopg
from django.utils import timezone
from psycopg.rows import dict_row

from audit import chain
from operations.backups import BackupError, exported_events
from operations.failover.events_log import KEPT_FOR, SUFFIX

CONNECT_SECONDS = 10
FETCH_ROWS = 2000
EVENTS = """
    SELECT id, at, tag, actor_name, domain_name, credential, data FROM audit_event WHERE at > %s ORDER BY id
"""


def of_files(paths: Iterable[str]) -> Iterator[dict]:
    """The events in these files, and in those of folders; - is standard input. Raises BackupError, OSError."""
    for path in paths:
        folder = Path(path)
        files = sorted(folder.glob(f"*{SUFFIX}")) if path != "-" and folder.is_dir() else [path]
        if not files:
            raise BackupError(f"{path} holds no file that ends in {SUFFIX}.")
        for file in files:
            with nullcontext(sys.stdin) if file == "-" else open(file, encoding="utf-8") as lines:
                yield from exported_events.parsed(file, lines)


def of_database(url: str) -> Iterator[dict]:
    """The last events of the former primary, which are gone once it is a standby. Raises psycopg.Error."""
    since = timezone.now() - KEPT_FOR
    options = "-c default_transaction_read_only=on"
    with (
        psycopg.connect(url, row_factory=dict_row, connect_timeout=CONNECT_SECONDS, options=options) as former,
        former.cursor("events") as cursor,  # one of the server's, which doesn't send everything at once
    ):
        cursor.itersize = FETCH_ROWS
        for row in cursor.execute(EVENTS, [since]):
            yield exported_events.event(row | {"at": chain.timestamp(row["at"])})
