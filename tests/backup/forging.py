"""Changes a backup as somebody would who can write the file, but has no key: with a SHA-256 that fits."""

import hashlib
import json
import sqlite3
import zipfile
from contextlib import closing

from operations.backups import archive

DATABASE = "database.sqlite3"


def members(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def forged(path, change=None, **manifest):
    """The same backup after `change(members)`, with what is given put into its manifest; return its path."""
    held = members(path)
    if change:
        change(held)
    held[archive.MANIFEST] = json.dumps(json.loads(held[archive.MANIFEST]) | manifest).encode()
    return written(path, held.items())


def written(path, items):
    """A file with these members, unauthenticated; return its path."""
    target = path.with_name("forged.zip")
    with archive.create(target, force=True, key_id="") as made:
        for name, text in items:
            made.writestr(name, text)
    return target


def forged_database(path, *statements, **manifest):
    """A backup of SQLite in whose database these statements were run."""

    def change(held):
        held[DATABASE] = altered(path, held[DATABASE], statements)

    return forged(path, change, **manifest)


def altered(path, raw: bytes, statements) -> bytes:
    place = path.with_name("altered.sqlite3")
    place.write_bytes(raw)
    with closing(sqlite3.connect(place, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)
    return place.read_bytes()


def manifest(path) -> dict:
    return json.loads(members(path)[archive.MANIFEST])


def resigned(raw: bytes) -> bytes:
    """The same bytes with a SHA-256 that fits."""
    return raw[:-64] + hashlib.sha256(raw[:-64]).hexdigest().encode()
