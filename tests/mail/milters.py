"""A running `manage.py milter`, and a mail server that asks it as Postfix does."""

import socket
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests import servers
from tests.submission.from_headers import OWN

OFFER = struct.pack("!LLL", 6, 0x1FF, 0x1FFFFF)  # version, actions, protocol


class Milter(NamedTuple):
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"inet:127.0.0.1:{self.port}"


@contextmanager
def judging(log, port=None, **environment):
    """Run `manage.py milter` until the block ends, on any free port if none is given."""
    port = port or servers.free_port()
    with servers.running(["manage.py", "milter"], port=port, log=log, MILTER_PORT=str(port), **environment):
        yield Milter(port, log)


class MilterClient:
    """Speaks the milter protocol, version 6; commands are pairs of a letter and data."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._file = self._socket.makefile("rb")
        self.close = self._socket.close

    def send(self, *commands: tuple[bytes, bytes]):
        packets = (struct.pack("!L", 1 + len(data)) + command + data for command, data in commands)
        self._socket.sendall(b"".join(packets))

    def answer(self) -> tuple[bytes, bytes] | None:
        """The command and data of the next answer, None if the connection was closed."""
        try:
            head = self._file.read(5)
        except ConnectionResetError:
            return None
        return (head[4:], self._file.read(struct.unpack("!L", head[:4])[0] - 1)) if head else None

    def ask(self, *commands):
        self.send(*commands)
        return self.answer()

    def judge(self, *fields, username="A" * 32 + ".1", sender=OWN):
        """The answer to a message with these fields, each a name and a value."""
        macros = b"\0".join([b"M{auth_authen}", username.encode(), b"{mail_addr}", sender.encode(), b""])
        headers = [(b"L", name + b"\0" + value + b"\0") for name, value in fields]
        return self.ask((b"D", macros), (b"M", b"<x>\0"), (b"D", b"Ni\x004ABC\0"), *headers, (b"N", b""))
