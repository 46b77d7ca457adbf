"""What every reply of SMTP has to be, whatever came before it, and how much a process holds."""

import os
import re
from contextlib import suppress
from pathlib import Path

from tests.input.judging import SECRETS

# A code of three digits, and text that no terminal and no log trips over (RFC 5321 section 4.2).
LINES = re.compile(rb"(?:[2345][0-9]{2}[ -][ -~]{0,509}\r\n)*")
INTERNAL = re.compile(rb"^451 4\.3\.0 Internal", re.MULTILINE)


def judge_replies(said: bytes) -> list[int]:
    """Judge all that a server said in a session; return the codes of its replies."""
    assert LINES.fullmatch(said), said[-1000:]
    assert not INTERNAL.search(said)
    assert not SECRETS.search(said.decode())
    assert b"Traceback" not in said and b".py" not in said
    return [int(code) for code in re.findall(rb"^([0-9]{3}) ", said, re.MULTILINE)]


def judge_log(log: Path):
    """No password, no control character, no fault of ours in what a server wrote to its log."""
    text = log.read_text()
    assert not SECRETS.search(text)
    assert all(line.isprintable() for line in text.split("\n"))
    assert "Traceback" not in text and " failed: " not in text, text[-3000:]


def sockets(process) -> int:
    """How many sockets a process has open."""
    found = 0
    for each in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found += os.readlink(each).startswith("socket:")
    return found


def held(process) -> float:
    """The memory of a process in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+([0-9]+)", status)[1]) / 1024
