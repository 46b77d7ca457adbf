"""Formats of log records, one line each, and filters that remove secrets."""

import json
import logging
import re
from datetime import UTC, datetime

from web import request_id

LONGEST_REFUSAL = 500  # characters
_KEY = re.compile(r"/(key|confirm-email)/[^/\s]+")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
# Up to the next exception of a traceback: a value may hold line ends of its own.
_DETAIL = re.compile(r"^DETAIL:.*?(?=\n\n(?:The above|During handling)|\Z)", re.MULTILINE | re.DOTALL)


def without_keys(text: str) -> str:
    """Mask the keys of mailed links: an unused one opens an account."""
    return _KEY.sub(r"/\1/…", text)


class WithoutKeys(logging.Filter):
    """Masks keys in the paths of refused requests, which Django logs."""

    def filter(self, record):
        if isinstance(record.args, tuple):
            record.args = tuple(without_keys(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


class WithoutValues(logging.Filter):
    """Masks the values in logged SQL: verifiers, sealed passwords and sessions are among them."""

    def filter(self, record):
        if hasattr(record, "sql"):
            record.msg = _LITERAL.sub("'…'", str(record.sql))
            record.args = ()
            record.sql, record.params = record.msg, None
        return True


class Refusals(logging.Filter):
    """Shortens a refused request to one line: otherwise anyone could fill the disk with tracebacks."""

    def filter(self, record):
        if 400 <= getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
            if len(text := record.getMessage()) > LONGEST_REFUSAL:
                record.msg, record.args = f"{text[:LONGEST_REFUSAL]}…", ()
        return True


def one_line(text: str) -> str:
    """Spell out control characters and line ends, so that no text forges a log line."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


class _Formatter(logging.Formatter):
    def formatException(self, ei):
        """Format a traceback without the row that PostgreSQL shows for a violated constraint."""
        return _DETAIL.sub("DETAIL: …", super().formatException(ei))


class Lines(_Formatter):
    """For people: time with zone, level, logger, message, and the id of the request or session."""

    def __init__(self):
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record, datefmt=None):
        return datetime.fromtimestamp(record.created).astimezone().isoformat(" ", timespec="milliseconds")

    def formatMessage(self, record):
        record.message = one_line(record.message)
        trace = request_id.current.get()
        return super().formatMessage(record) + (f" {trace.kind}={trace.id}" if trace else "")

    def formatException(self, exc_info):
        # An exception may quote what a client sent: indented, no line of it looks like a record.
        return "\n".join(f"  {one_line(line)}" for line in super().formatException(exc_info).splitlines())


class Json(_Formatter):
    """For programs: one JSON object per line, tracebacks included."""

    def format(self, record):
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace := request_id.current.get():
            line[f"{trace.kind}_id"] = trace.id
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
