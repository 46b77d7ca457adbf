"""Memory of concurrent big messages: as much as limits.Memory has counted, not a multiple."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from submission.listener.limits import MAX_HELD
from tests.submission.clients import MESSAGE, submit, wait_until
from tests.submission.discarding_server import discarding

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

MIB = 1024 * 1024
AT_ONCE = 14
LINE = b"." + b"x" * 900 + b"\r\n"  # each has to lose its dot on the way in, and get it back on the way out
BIG = MESSAGE + (b"." + LINE) * (24 * MIB // (len(LINE) + 1))
# What sessions and threads need beside the messages: 17 to 24 MiB. A second copy of those would be 260 more.
ROOM = 40 * MIB


def _status(process, name) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+([0-9]+) kB", status)[1]) * 1024


def _begin_peak(process):
    """Reset VmHWM, the peak of memory of a process (proc(5))."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")


@pytest.fixture(params=["maildir", "next hop"])
def receiver(request, start_listener, stack):
    hop = {} if request.param == "maildir" else {"SMTP_RELAY_URL": stack.enter_context(discarding())}
    with start_listener(**hop) as listener:
        yield listener


def test_concurrent_big_messages_take_no_more_memory_than_counted(receiver, credential):
    clients = [receiver.login(credential) for _ in range(AT_ONCE)]
    for smtp in clients:
        assert submit(smtp)[0] == 250
        smtp.sock.settimeout(120)
    idle = _status(receiver.process, "VmRSS")
    _begin_peak(receiver.process)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        codes = [code for code, _ in threads.map(lambda smtp: submit(smtp, BIG), clients)]
    assert set(codes) <= {250, 452} and codes.count(250) >= 8  # who finds no room comes again
    assert _status(receiver.process, "VmHWM") - idle <= MAX_HELD + ROOM
    assert submit(clients[0], BIG)[0] == 250  # what was counted is given back
    wait_until(lambda: _status(receiver.process, "VmRSS") - idle <= ROOM)  # none of it stays


def test_unread_replies_take_no_memory(listener, credential):
    smtp = listener.login(credential)
    idle = _status(listener.process, "VmRSS")
    smtp.sock.settimeout(2)
    sent = 0
    with pytest.raises(TimeoutError):  # it reads no more while nobody reads what it says
        while sent < 64 * MIB:
            sent += smtp.sock.send(b"NOOP\r\n" * 2000)
    assert _status(listener.process, "VmRSS") - idle < 8 * MIB
    assert submit(listener.login(credential))[0] == 250


def test_endless_line_takes_no_memory(listener, credential):
    smtp = listener.login(credential)
    idle = _status(listener.process, "VmRSS")
    for _ in range(32):
        smtp.sock.sendall(b"x" * MIB)
    assert _status(listener.process, "VmRSS") - idle < 8 * MIB
    smtp.sock.sendall(b"\r\n")
    assert smtp.getreply() == (500, b"5.5.2 Line too long")
    assert submit(smtp)[0] == 250
