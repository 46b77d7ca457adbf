"""Changes a backup as a user could who can write the file but has no key: with a matching SHA-256."""

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
    """The same backup after `change(members)`, with these parts of its manifest replaced; return its path."""
    held = members(path)
    if change:
        change(held)
    held[archive.MANIFEST] = json.dumps(json.loads(held[archive.MANIFEST]) | manifest).encode()
    return written(path, held.items())


def written(path, items):
    """Write a file with these members, unauthenticated; return its path."""
    target = path.with_name("forged.zip")
    with archive.create(target, force=True, key_id="") as made:
        for name, text in items:
            made.writestr(name, text)
    return target


def forged_database(path, *statements, **manifest):
    """A backup of SQLite after these statements were run in its database."""

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
    """The same bytes with a matching SHA-256."""
    return raw[:-64] + hashlib.sha256(raw[:-64]).hexdigest().encode()
