"""What a backup states about itself, and whether it can be restored here."""

import json
import re
from datetime import datetime

from django.conf import settings
from django.db import connection

from operations.backups import BackupError, schema
from vault import cipher

FORMAT = 2
MANIFEST = "manifest.json"
DATABASE_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
MAX_ITEMS = 10_000  # migrations, keys, tables: far more than there will ever be
MAX_NUMBER = 2**63 - 2  # one below the largest of a column, since the next one is counted from it
NAME = r"[a-z_][a-z0-9_]{0,62}"  # of a table, a column or a sequence
EVENT_TEXT = r"[^\x00-\x1f]{0,200}"


def _is_number(value) -> bool:
    return type(value) is int and 0 <= value <= MAX_NUMBER  # a bool is not a number here


def _is_time(value) -> bool:
    try:
        return len(value) <= 200 and datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


# What each part has to be: a pattern for text, a list of any length, a tuple for a list of that form, a dict of
# names, or a function. The names end up in SQL and on a terminal.
PARTS = {
    "format": lambda value: _is_number(value) and value > 0,
    "database": r"[a-z]{1,20}",
    "taken_at": _is_time,
    "migrations": [(r"\w{1,255}", r"\w{1,255}")],
    "keys": [r"[A-Za-z0-9_-]{1,32}"],
    "newest_event": lambda value: value is None or _fits(value, (r"[0-9]{1,18}", EVENT_TEXT, EVENT_TEXT)),
    "counts": {NAME: _is_number},
}
PARTS_OF_POSTGRESQL = {
    "columns": {NAME: [NAME]},
    "sequences": {NAME: lambda value: value is None or _is_number(value)},
}


def _fits(value, form) -> bool:
    """Whether a part is of this form."""
    match form:
        case str():
            return isinstance(value, str) and bool(re.fullmatch(form, value, re.ASCII))
        case tuple():
            return isinstance(value, list) and len(value) == len(form) and all(map(_fits, value, form))
        case list():
            is_short = isinstance(value, list) and len(value) <= MAX_ITEMS
            return is_short and all(_fits(item, form[0]) for item in value)
        case dict():
            pairs = [*form.items()]
            return isinstance(value, dict) and _fits([list(item) for item in value.items()], pairs)
    return form(value)


def describe(ask, tables, taken_at) -> dict:
    """The manifest of a snapshot with these tables; `ask` queries it, and it is not older than `taken_at`."""
    quote = connection.ops.quote_name
    stored = [table for table in tables if table not in schema.TRANSIENT]
    needed_keys = "SELECT key_id FROM credentials_keycanary WHERE retired_at IS NULL ORDER BY key_id"
    canaries = ask(needed_keys) if "credentials_keycanary" in tables else []
    return {
        "database": connection.vendor,
        "taken_at": taken_at.isoformat(),
        "migrations": [list(row) for row in ask("SELECT app, name FROM django_migrations ORDER BY id")],
        # Those of the settings for a server that never ran.
        "keys": [key_id for (key_id,) in canaries] or list(_keys()),
        "newest_event": newest_event(ask),
        "counts": {table: ask(f"SELECT count(*) FROM {quote(table)}")[0][0] for table in stored},  # noqa: S608
    }


def newest_event(ask) -> list[str] | None:
    """The last event, by which another database shows that it continues from this backup."""
    rows = ask("SELECT id, tag, at FROM audit_event ORDER BY id DESC LIMIT 1")
    return [str(value) for value in rows[0]] if rows else None


def write_manifest(archive, manifest: dict) -> None:
    archive.writestr(MANIFEST, json.dumps({"format": FORMAT} | manifest, indent=1))


def read_manifest(text: bytes) -> dict:
    """Return a manifest that has all parts that it needs, and no others. Raises BackupError."""
    try:
        manifest = dict(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise BackupError("Its manifest is not a JSON object.") from None
    version = manifest.get("format")
    if type(version) is int and version > FORMAT:
        raise BackupError(f"It was made by a newer version (format {version}).")
    known = PARTS | PARTS_OF_POSTGRESQL
    wrong = [name for name, form in known.items() if name in manifest and not _fits(manifest[name], form)]
    if names := [*wrong, *sorted(set(PARTS) - set(manifest)), *sorted(set(manifest) - set(known))]:
        raise BackupError(
            f"Its manifest is not one that `backup` writes: {names[0][:40]!r} is wrong, missing or unknown."
        )
    return manifest


def refuse_unknown_version(manifest) -> None:
    """Raise BackupError when this code, on this kind of database, can't restore it."""
    if manifest["database"] != connection.vendor:
        kinds = [DATABASE_NAMES.get(kind, kind) for kind in (manifest["database"], connection.vendor)]
        raise BackupError("It is a backup of {}, and this database is {}.".format(*kinds))
    unknown = sorted(set(map(tuple, manifest["migrations"])) - schema.known_migrations())
    if unknown:
        names = ", ".join(f"{app} {name}" for app, name in unknown[:3])
        raise BackupError(f"It was made by a newer version: this one does not know the migrations {names}.")


def missing_keys(manifest) -> list[str]:
    """The ids of keys that it needs and that CREDENTIAL_KEYS lacks."""
    return [key for key in manifest["keys"] if key not in _keys()]


def _keys() -> dict:
    try:
        return cipher.parse(settings.CREDENTIAL_KEYS)
    except cipher.KeyringError:
        return {}
