"""The file: a ZIP whose comment, its last 71 bytes, is the SHA-256 of everything before.

`unzip` opens it. The digest covers each byte, so one that is cut off or changed is known before
anything is read from it.
"""

import errno
import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sendlayer.backups import Refused

FORMAT = 1
MANIFEST = "manifest.json"
PREFIX = b"sha256:"
DIGEST = 64  # hexadecimal characters
CHUNK = 1 << 20
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)  # of a disk of another system, as a share's or a stick's


@contextmanager
def create(path: Path, *, force=False) -> Iterator[zipfile.ZipFile]:
    """Write an archive that gets its name once it is whole and on the disk; else nothing stays.

    Readable by its owner only. Raises Refused when there is such a file and not `force`, OSError.
    """
    if path.exists() and not force:
        raise Refused(f"{path} is there already. Give another name, or --force.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                yield archive
                archive.comment = PREFIX + b"0" * DIGEST
            length = file.seek(-DIGEST, os.SEEK_END)
            digest = _digest(file, length)
            file.seek(length)
            file.write(digest)
            file.flush()
            os.fsync(file.fileno())
        _name(part, path, force)
    finally:
        part.unlink(missing_ok=True)


def write_manifest(archive: zipfile.ZipFile, manifest: dict) -> None:
    archive.writestr(MANIFEST, json.dumps({"format": FORMAT} | manifest, indent=1))


@contextmanager
def read(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict]]:
    """Yield an archive that was found whole, and its manifest. Raises Refused, OSError."""
    with open(path, "rb") as file:
        length = file.seek(0, os.SEEK_END) - DIGEST
        if length < len(PREFIX):
            raise Refused(f"{path} is no backup, or only a part of one.")
        file.seek(length - len(PREFIX))
        if file.read(len(PREFIX)) != PREFIX:
            raise Refused(f"{path} is no backup, or only a part of one.")
        if file.read(DIGEST) != _digest(file, length):
            raise Refused(f"{path} is damaged: it does not fit its SHA-256.")
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest["format"] > FORMAT:
                raise Refused(f"{path} was made by a newer version (format {manifest['format']}).")
            yield archive, manifest


def _digest(file, length) -> bytes:
    """The SHA-256 of the first bytes of a file, in hexadecimal."""
    file.seek(0)
    digest = hashlib.sha256()
    while length > 0 and (chunk := file.read(min(CHUNK, length))):
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest().encode()


def _name_once(part, path):
    """Give it its name unless there is such a file. Raises FileExistsError."""
    try:
        path.hardlink_to(part)  # unlike a renaming it does not overwrite what came meanwhile
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        part.replace(path)


def _name(part, path, force):
    if force:
        part.replace(path)
    else:
        try:
            _name_once(part, path)
        except FileExistsError:
            raise Refused(f"{path} came meanwhile. Give another name, or --force.") from None
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
