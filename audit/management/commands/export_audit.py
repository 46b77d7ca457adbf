import os
import secrets
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from audit.export import export_lines


class Command(BaseCommand):
    help = (
        "Write the events as JSON lines, with all their columns, for a copy that is kept on another machine. "
        "They hold no password. verify_audit --file checks such a file."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", help="the file to write (mode 0600), - for standard output")
        parser.add_argument("--domain", default="", metavar="NAME", help="only domains of this name")
        parser.add_argument("--since", metavar="TIME", help="from 2026-05-01 on, or from 2026-05-01T12:00Z")

    def handle(self, *, file, domain, since, **options):
        lines = export_lines(domain, _moment(since) if since else None)
        if file == "-":
            for line in lines:
                self.stdout.write(line, ending="")
            return
        try:
            number = _write(file, lines)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.") from None
        self.stdout.write(f"{number} {'event' if number == 1 else 'events'} written to {file}.")


def _write(file, lines) -> int:
    """Write a complete file, readable by its owner only, or none; return the number of lines."""
    # An unpredictable name, so that nobody can have put a file there.
    part, number = f"{file}.{secrets.token_hex(4)}.part", 0
    try:
        with open(part, "x", encoding="utf-8", opener=_private) as out:
            for line in lines:
                out.write(line)
                number += 1
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, file)
    finally:
        Path(part).unlink(missing_ok=True)
    return number


def _private(path, flags):
    return os.open(path, flags, 0o600)


def _moment(text):
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise CommandError(f"--since: {text} is not a time like 2026-05-01 or 2026-05-01T12:00Z.")
    return timezone.make_aware(at) if timezone.is_naive(at) else at
