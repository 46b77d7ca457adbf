"""Assertions on every SMTP reply, and the sockets and memory of a process."""

import os
import re
from contextlib import suppress
from pathlib import Path

from tests.input.judging import SECRETS

# A code of 3 digits, and printable text (RFC 5321 section 4.2).
LINES = re.compile(rb"(?:[2345][0-9]{2}[ -][ -~]{0,509}\r\n)*")
INTERNAL = re.compile(rb"^451 4\.3\.0 Internal", re.MULTILINE)


def judge_replies(said: bytes) -> list[int]:
    """Judge all replies of a session; return their codes."""
    assert LINES.fullmatch(said), said[-1000:]
    assert not INTERNAL.search(said)
    assert not SECRETS.search(said.decode())
    assert b"Traceback" not in said and b".py" not in said
    return [int(code) for code in re.findall(rb"^([0-9]{3}) ", said, re.MULTILINE)]


def judge_log(log: Path):
    """Assert that a server's log has no password, control character or traceback."""
    text = log.read_text()
    assert not SECRETS.search(text)
    assert all(line.isprintable() for line in text.split("\n"))
    assert "Traceback" not in text and " failed: " not in text, text[-3000:]


def sockets(process) -> int:
    """Return the number of open sockets of a process."""
    found = 0
    for each in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime
            found += os.readlink(each).startswith("socket:")
    return found


def held(process) -> float:
    """Return the memory of a process in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+([0-9]+)", status)[1]) / 1024
