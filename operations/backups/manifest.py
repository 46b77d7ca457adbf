"""What a backup says of itself, and whether it can be restored here."""

import json

from django.conf import settings
from django.db import connection

from operations.backups import TRANSIENT, Refused, schema
from operations.backups.manifest_rules import RULES
from vault import cipher

FORMAT = 2
MANIFEST = "manifest.json"
KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# The newest event tells whether another database goes on from this backup.
NEWEST_EVENT = "SELECT id, tag, at FROM audit_event ORDER BY id DESC LIMIT 1"


def describe(ask, tables, taken_at) -> dict:
    """The manifest of a snapshot that `ask` (SQL → rows) reads, with these tables; `taken_at` is before it."""
    quote = connection.ops.quote_name
    stored = [table for table in tables if table not in TRANSIENT]
    counts = {table: ask(f"SELECT count(*) FROM {quote(table)}")[0][0] for table in stored}  # noqa: S608
    return {
        "database": connection.vendor,
        "taken_at": taken_at.isoformat(),
        "migrations": [list(row) for row in ask("SELECT app, name FROM django_migrations ORDER BY id")],
        "keys": _keys(ask, tables),
        "newest_event": newest_event(ask),
        "counts": counts,
    }


def _keys(ask, tables) -> list[str]:
    """The ids of the keys that it needs: of a server that never ran, those that it has."""
    needed = "SELECT key_id FROM credentials_keycanary WHERE retired_at IS NULL ORDER BY key_id"
    canaries = ask(needed) if "credentials_keycanary" in tables else []
    return [key for (key,) in canaries] or list(_ring())


def newest_event(ask) -> list[str] | None:
    rows = ask(NEWEST_EVENT)
    return [str(value) for value in rows[0]] if rows else None


def write_manifest(archive, manifest: dict) -> None:
    archive.writestr(MANIFEST, json.dumps({"format": FORMAT} | manifest, indent=1))


class Manifest(dict):
    """What `describe` said, and `doubt`: why it can't be known who made the file, "" where it can."""

    doubt = ""


def read_manifest(text: bytes, doubt="") -> Manifest:
    """Return a manifest that says what one has to, and nothing else. Raises Refused."""
    try:
        manifest = Manifest(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise Refused("Its manifest is no JSON object.") from None
    number = manifest.get("format")
    if type(number) is int and number > FORMAT:
        raise Refused(f"It was made by a newer version (format {number}).")
    for name, (is_right, is_needed) in RULES.items():
        if (name in manifest or is_needed) and not is_right(manifest.get(name)):
            raise Refused(f"Its manifest is not one that `backup` writes: {name} is missing or wrong.")
    if strange := sorted(set(manifest) - set(RULES)):
        raise Refused(f"Its manifest is not one that `backup` writes: it says {strange[0][:40]!r}.")
    manifest.doubt = doubt
    return manifest


def judge(manifest) -> None:
    """Raise Refused when this code, on this kind of database, can't restore it."""
    if manifest["database"] != connection.vendor:
        kinds = [KINDS.get(kind, kind) for kind in (manifest["database"], connection.vendor)]
        raise Refused("It is a backup of {}, and this database is {}.".format(*kinds))
    unknown = sorted(set(map(tuple, manifest["migrations"])) - schema.known_migrations())
    if unknown:
        names = ", ".join(f"{app} {name}" for app, name in unknown[:3])
        raise Refused(f"It was made by a newer version: this one does not know the migrations {names}.")


def missing_keys(manifest) -> list[str]:
    """The ids of keys that it needs and that CREDENTIAL_KEYS lacks."""
    return [key for key in manifest["keys"] if key not in _ring()]


def _ring() -> dict:
    try:
        return cipher.parse(settings.CREDENTIAL_KEYS)
    except cipher.KeyringError:
        return {}
