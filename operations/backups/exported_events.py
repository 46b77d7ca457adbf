"""Events that were exported before the database was lost: JSON lines, as `export_audit` writes them.

Those of another exporter have tag, at, credential, domain, and for members data and actor.

What is needed of them is what takes something away; whether the backup tells of it already is
asked when it is restored.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.utils.dateparse import parse_datetime

from audit.models import Event
from operations.backups import Refused

# An event has the time of its server's clock, and commits after it. What the backup has is found
# by its very time, so that a wide margin costs nothing.
MARGIN = timedelta(hours=1)
ROUNDED = timedelta(milliseconds=1)
RESTORE = "restore"  # who did what a restoring did


@dataclass(frozen=True)
class Told:
    """One exported event."""

    tag: str
    at: datetime
    credential: str
    domain: str
    data: dict
    actor: str

    def is_by_support(self) -> bool:
        """Whether support suspended it: they give a reason, members are not asked for one."""
        return bool(self.data.get("reason")) and self.actor != RESTORE

    def is_in_backup(self) -> bool:
        """Whether the restored database has this event."""
        # An exporter may have rounded the time.
        around = (self.at - ROUNDED, self.at + ROUNDED)
        same = Event.objects.filter(tag=self.tag, credential=self.credential, domain_name=self.domain)
        return same.filter(at__range=around).exists()


def read(path: Path, taken_at) -> list[Told]:
    """The events since a little before that time, in the order of their times. Raises Refused, OSError."""
    with open(path, encoding="utf-8") as lines:
        found = [event for event in _parsed(path, lines) if event.at > taken_at - MARGIN]
    return sorted(found, key=lambda event: event.at)


def _text(value) -> str:
    if not isinstance(value or "", str):
        raise TypeError
    return value or ""


def _plain(value):
    """What a question to the database can be asked with."""
    return None if isinstance(value, list | dict) else value


def _parsed(path, lines) -> Iterator[Told]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            at = parse_datetime(row["at"])
            told = Told(
                _text(row["tag"]),
                at,
                credential=_text(row.get("credential")),
                domain=_text(row.get("domain_name") or row.get("domain")),
                data={name: _plain(value) for name, value in dict(row.get("data") or {}).items()},
                actor=_text(row.get("actor_name") or row.get("actor")),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            at = None
        if at is None or at.tzinfo is None:
            raise Refused(f"{path}, line {number}: no event with `tag` and `at` (a time with its zone).")
        yield told
