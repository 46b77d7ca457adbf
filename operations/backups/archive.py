"""The file: a ZIP whose comment shows that it is complete and who made it (trailer.py).

`unzip` opens it. Nothing is read from it before that is verified. Even then anybody may have written it, so its
names, sizes and manifest have to be of the kind that `backup` writes.
"""

import os
import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from operations.backups import BackupError, trailer
from operations.backups.manifest import MANIFEST, read_manifest
from operations.backups.trailer import CHUNK_BYTES

MEMBER_NAMES = re.compile(r"manifest\.json|database\.sqlite3|tables/[a-z0-9_]{1,63}\.copy")
MAX_MEMBERS = 1000
# A database shrinks to a half; an empty one, all blank pages, to a twentieth. DEFLATE could reach a thousandth.
MAX_RATIO = 200
ALWAYS_ALLOWED = 64 << 20  # unpacked bytes, whatever the ratio
MAX_MANIFEST = 4 << 20
ENCRYPTED_OR_PATCH = 0x1 | 0x20 | 0x40  # flags of the ZIP format
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error)


@contextmanager
def create(path: Path, *, key_id: str, force=False) -> Iterator[zipfile.ZipFile]:
    """Write an archive that gets its name once it is complete and on the disk; otherwise nothing remains.

    Only its owner can read it. This key authenticates it; with "" none does. Raises OSError, and BackupError
    when the file exists and not `force`.
    """
    if path.exists() and not force:
        raise BackupError(f"{path} already exists. Choose another name, or --force.")
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")  # mode 0600
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                yield archive
                archive.comment = trailer.blank(key_id)
            trailer.fill(file, key_id)
            file.flush()
            os.fsync(file.fileno())
        _rename(Path(name), path, force)
    finally:
        Path(name).unlink(missing_ok=True)


def _rename(part, path, force):
    if not force:
        try:
            path.touch(0o600, exist_ok=False)
        except FileExistsError:
            raise BackupError(f"{path} was created in the meantime. Choose another name, or --force.") from None
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def read(path: Path, *, unauthenticated=False) -> Iterator[tuple[zipfile.ZipFile, dict, str]]:
    """Yield an archive that is complete and authentic, its manifest, and "". Raises BackupError, OSError.

    With `unauthenticated` anybody may have made it; then the last says why nobody can know.
    """
    with open(path, "rb") as given, tempfile.TemporaryFile(dir=settings.VAR_DIR) as file:
        # A copy: a user who can write the file could change it between the check and the reading.
        shutil.copyfileobj(given, file, CHUNK_BYTES)
        doubt = trailer.verify(file, path)
        if doubt and not unauthenticated:
            raise BackupError(
                f"{path}: {doubt} Anybody who could write this file decides what this server accepts and who "
                "signs in as whom. To restore it anyway, if you know that nobody else could change it: "
                "--unauthenticated."
            )
        try:
            with _opened(file, path) as archive:
                _check(archive, size=file.seek(0, os.SEEK_END))
                with open_member(archive, MANIFEST) as member:
                    manifest = read_manifest(member.read())
                yield archive, manifest, doubt
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise BackupError(f"{path} can't be unpacked: {error}.") from None


def _opened(file, path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except ZIP_ERRORS:
        raise BackupError(f"{path} can't be unpacked: it is not an ordinary ZIP file.") from None


def _check(archive, size):
    """Raise BackupError unless its members are of the names and sizes that `backup` writes."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(names) > MAX_MEMBERS or len(names) != len(set(names)) or MANIFEST not in names:
        raise BackupError("It does not hold what a backup holds: its members are not named once each.")
    if unknown := [name for name in names if not MEMBER_NAMES.fullmatch(name)]:
        raise BackupError(f"It does not hold what a backup holds: {unknown[0][:80]!r} is not a member of one.")
    for member in members:
        if member.flag_bits & ENCRYPTED_OR_PATCH or member.compress_type not in COMPRESSIONS:
            raise BackupError(f"{member.filename} is not packed as `backup` does it.")
    unpacked = sum(member.file_size for member in members)
    manifest = archive.getinfo(MANIFEST).file_size
    if unpacked > max(ALWAYS_ALLOWED, MAX_RATIO * size) or manifest > MAX_MANIFEST:
        raise BackupError(
            f"Unpacked it would be {unpacked} bytes large, more than a backup of its size can be."
        )


def open_member(archive, name):
    """Open a member for reading. Raises BackupError."""
    try:
        return archive.open(name)
    except KeyError:
        raise BackupError(f"It lacks what its version has: {name}.") from None
    except ZIP_ERRORS as error:
        raise BackupError(f"It can't be unpacked: {name}: {type(error).__name__}.") from None
