"""How log records are written, one line each, and what is taken out of them."""

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
    """No log holds the key of a mailed link: until it is used, it opens an account."""
    return _KEY.sub(r"/\1/…", text)


class WithoutKeys(logging.Filter):
    """Takes the keys out of the paths that Django logs refused requests by."""

    def filter(self, record):
        if isinstance(record.args, tuple):
            record.args = tuple(without_keys(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


class WithoutValues(logging.Filter):
    """Takes the values out of logged SQL: verifiers, sealed passwords and sessions are among them."""

    def filter(self, record):
        if hasattr(record, "sql"):
            record.msg = _LITERAL.sub("'…'", str(record.sql))
            record.args = ()
            record.sql, record.params = record.msg, None
        return True


class Refusals(logging.Filter):
    """Writes a refused request in one short line: anybody could fill a disk with tracebacks and headers."""

    def filter(self, record):
        if 400 <= getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
            if len(text := record.getMessage()) > LONGEST_REFUSAL:
                record.msg, record.args = f"{text[:LONGEST_REFUSAL]}…", ()
        return True


def one_line(text: str) -> str:
    """The text with what a terminal would obey, line ends above all, spelled out: nobody forges a line."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


class _Formatter(logging.Formatter):
    def formatException(self, ei):
        """A traceback without the row that PostgreSQL shows for a violated constraint."""
        return _DETAIL.sub("DETAIL: …", super().formatException(ei))


class Lines(_Formatter):
    """For people: the time with its zone, the level, the logger, the message, and whose line it is."""

    def __init__(self):
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record, datefmt=None):
        return datetime.fromtimestamp(record.created).astimezone().isoformat(" ", timespec="milliseconds")

    def formatMessage(self, record):
        record.message = one_line(record.message)
        trace = request_id.current.get()
        return super().formatMessage(record) + (f" {trace.kind}={trace.id}" if trace else "")

    def formatException(self, exc_info):
        # What an exception says may hold what a client sent: indented, none of it begins like a record.
        return "\n".join(f"  {one_line(line)}" for line in super().formatException(exc_info).splitlines())


class Json(_Formatter):
    """For machines: one JSON object a line, a traceback included."""

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
