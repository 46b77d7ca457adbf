"""A Maildir (https://cr.yp.to/proto/maildir.html) that keeps messages when there is no next hop.

Files have mode 0600, folders 0700. Each file begins with Return-Path and Envelope-To, because a
message need not name its recipients.
"""

import errno
import os
import socket
import time
from pathlib import Path

from submission.delivery.message import Message
from submission.delivery.next_hop import Deferred, Reason
from web.workers import UNAVAILABLE, Workers

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Maildir:
    """A Maildir at `path`, created if missing. Raises OSError."""

    def __init__(self, path: Path):
        self._path = path
        self._disk = Workers("maildir", threads=2, waiting=500)
        for folder in (path, path / "tmp", path / "new", path / "cur"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(path)

    def __str__(self):
        return str(self._path)

    async def deliver(self, message: Message) -> None:
        """Store a message so that it survives a power cut. Raises Deferred."""
        try:
            await self._disk.run(self._store, message)
        except OSError as error:
            reason = Reason.NO_SPACE if error.errno in _DISK_FULL else Reason.UNAVAILABLE
            raise Deferred(f"{type(error).__name__} {error.errno}", reason) from None
        except UNAVAILABLE as error:
            raise Deferred(type(error).__name__) from None

    def close(self) -> None:
        self._disk.close()

    def _store(self, message: Message) -> None:
        name = f"{int(time.time())}.{message.id}.{socket.gethostname().replace('/', '_').replace(':', '_')}"
        draft = self._path / "tmp" / name
        try:
            _write(draft, message)
            os.rename(draft, self._path / "new" / name)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        # The new name is on disk only after its folder is synced.
        _sync_folder(self._path / "new")


def _write(path: Path, message: Message) -> None:
    envelope = f"Return-Path: <{message.sender}>\r\nEnvelope-To: " + ",\r\n\t".join(message.recipients)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(envelope.encode() + b"\r\n")
        file.write(message.content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
