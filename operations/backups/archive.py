"""The file: a ZIP whose comment, its last bytes, says that it is whole and who made it (trailer.py).

`unzip` opens it. Nothing is read from it before that was verified, and what is read then is still
taken for what anybody may have written: names, sizes and the manifest are held to what `backup` writes.
"""

import errno
import os
import re
import secrets
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from operations.backups import Refused, trailer
from operations.backups.manifest import MANIFEST, Manifest, read_manifest
from operations.backups.trailer import CHUNK

MEMBERS = re.compile(r"manifest\.json|database\.sqlite3|tables/[a-z0-9_]{1,63}\.copy")
MOST_MEMBERS = 1000
# A database is packed to a half; an empty one, all blank pages, to a twentieth. DEFLATE could do a thousandth.
MOST_TIMES_LARGER = 200
SMALL = 64 << 20  # up to here it may be packed as well as can be
MOST_OF_MANIFEST = 4 << 20
NOT_PLAIN = 0x1 | 0x20 | 0x40  # flags of the ZIP format: encrypted, a patch, strongly encrypted
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNREADABLE = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error)
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)  # of a disk of another system, as a share's or a stick's
UNAUTHENTICATED = (
    "Whoever could write this file decides what this server accepts and who signs in as what. To restore it "
    "all the same, if you know that nobody else could change it: --unauthenticated."
)


@contextmanager
def create(path: Path, *, force=False, key_id: str | None = None) -> Iterator[zipfile.ZipFile]:
    """Write an archive that gets its name once it is whole and on the disk; else nothing stays.

    Readable by its owner only; authenticated with this key, by default with the one that signs, with ""
    by none. Raises Refused when there is such a file and not `force`, OSError.
    """
    if key_id is None:
        key_id, _why_not = trailer.signing_key()
    if path.exists() and not force:
        raise Refused(f"{path} is there already. Give another name, or --force.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                yield archive
                archive.comment = trailer.blank(key_id)
            trailer.fill(file, key_id)
            file.flush()
            os.fsync(file.fileno())
        _name(part, path, force)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def read(path: Path, *, unauthenticated=False) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Yield an archive that was found whole and authentic, and its manifest. Raises Refused, OSError.

    With `unauthenticated` it may be anybody's; the manifest's `doubt` says why.
    """
    with open(path, "rb") as given, tempfile.TemporaryFile(dir=settings.VAR_DIR) as file:
        # Whoever can write the file could still change it between the check and the reading.
        shutil.copyfileobj(given, file, CHUNK)
        doubt = trailer.examine(file, path)
        if doubt and not unauthenticated:
            raise Refused(f"{path}: {doubt} {UNAUTHENTICATED}")
        try:
            with _opened(file, path) as archive:
                _judge(archive, size=file.seek(0, os.SEEK_END))
                yield archive, _manifest(archive, doubt)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise Refused(f"{path} can't be unpacked: {error}.") from None


def _manifest(archive, doubt) -> Manifest:
    with open_member(archive, MANIFEST) as member:
        return read_manifest(member.read(), doubt)


def _opened(file, path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except UNREADABLE:
        raise Refused(f"{path} can't be unpacked: it is no ZIP file of the usual kind.") from None


def _judge(archive, size):
    """Raise Refused unless its members are those that `backup` writes, and of a size that can be."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(names) > MOST_MEMBERS or len(names) != len(set(names)) or MANIFEST not in names:
        raise Refused("It does not hold what a backup holds: its members are not named once each.")
    if strange := [name for name in names if not MEMBERS.fullmatch(name)]:
        raise Refused(f"It does not hold what a backup holds: {strange[0][:80]!r} is no member of one.")
    for member in members:
        if member.flag_bits & NOT_PLAIN or member.compress_type not in PACKED:
            raise Refused(f"{member.filename} is not packed as `backup` does it.")
    unpacked = sum(member.file_size for member in members)
    manifest = archive.getinfo(MANIFEST).file_size
    if unpacked > max(SMALL, MOST_TIMES_LARGER * size) or manifest > MOST_OF_MANIFEST:
        raise Refused(f"Unpacked it would be {unpacked} bytes large, more than a backup of its size can be.")


def open_member(archive, name):
    """Open a member to be read. Raises Refused."""
    try:
        return archive.open(name)
    except KeyError:
        raise Refused(f"It lacks what its version has: {name}.") from None
    except UNREADABLE as error:
        raise Refused(f"It can't be unpacked: {name}: {type(error).__name__}.") from None


def unpack(archive, name, path: Path) -> None:
    """Write one member to a new file of this path."""
    with open_member(archive, name) as source, open(path, "xb") as target:
        shutil.copyfileobj(source, target, CHUNK)


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
