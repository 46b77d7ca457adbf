"""The limits of one client, without effect on others."""

import os
import re
import resource
import ssl
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.factories import password_of
from tests.submission.clients import (
    MESSAGE,
    SENDER,
    auth_plain,
    bare,
    closed,
    finish,
    submit,
    wait_until,
)

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

SIZE = 100_000


@pytest.fixture(scope="module")
def tight(start_listener):
    """A listener with a small size, short timeouts and 4 connections an address."""
    with start_listener(
        SUBMISSION_MAX_SIZE=str(SIZE),
        SUBMISSION_COMMAND_TIMEOUT="2",
        SUBMISSION_LOGIN_TIMEOUT="2",
        SUBMISSION_MAX_CONNECTIONS_PER_IP="4",
        SUBMISSION_MAX_CONNECTIONS="7",
    ) as listener:
        yield listener


def test_message_of_the_maximum_size_is_accepted(tight, credential):
    smtp = tight.login(credential)
    assert smtp.esmtp_features["size"] == str(SIZE)
    lines = b"x" * 98 + b"\r\n"
    message = MESSAGE + lines * ((SIZE - len(MESSAGE)) // len(lines))
    assert submit(smtp, message + b"x" * (SIZE - len(message) - 2) + b"\r\n")[0] == 250


def test_too_big_message_is_refused_after_data_and_session_continues(tight, credential):
    smtp = tight.login(credential)
    too_big = MESSAGE + (b"x" * 98 + b"\r\n") * (2 * SIZE // 100)
    assert submit(smtp, too_big) == (552, b"5.3.4 Message size exceeds the limit")
    assert submit(smtp, MESSAGE + b"x" * SIZE + b"\r\n")[0] == 552  # one long line
    assert submit(smtp)[0] == 250


def test_too_big_size_parameter_is_refused_at_mail(tight, credential):
    reply = tight.login(credential).docmd(f"MAIL FROM:<{SENDER}> SIZE={SIZE + 1}")
    assert reply == (552, b"5.3.4 Message size exceeds the limit")


@pytest.mark.parametrize(("many", "taken"), [(1000, 1000), (1125, 1000)])
def test_recipients_beyond_the_limit_are_no_errors_and_the_others_get_the_message(smtp, outbox, many, taken):
    commands = [
        f"MAIL FROM:<{SENDER}>",
        *(f"RCPT TO:<r{number}@example.org>" for number in range(many)),
        "DATA",
    ]
    smtp.sock.sendall("".join(f"{command}\r\n" for command in commands).encode())
    replies = [smtp.getreply() for _ in commands]
    assert [code for code, _text in replies] == [250] * (1 + taken) + [452] * (many - taken) + [354]
    assert many == taken or replies[-2] == (452, b"4.5.3 Too many recipients")
    assert finish(smtp)[0] == 250
    assert outbox()[0].count(b"@example.org") == taken
    assert submit(smtp)[0] == 250


@pytest.mark.parametrize("command", ["NOOP ", "MAIL FROM:<", "NONSENSE"])
@pytest.mark.parametrize("length", [1001, 100_000])
def test_long_command_line_is_refused_and_session_continues(smtp, command, length):
    assert smtp.docmd(command + "x" * length)[0] == 500
    assert submit(smtp)[0] == 250


def test_twenty_errors_end_the_connection(smtp):
    replies = [smtp.docmd("NONSENSE")[0] for _ in range(20)]
    assert replies == [500] * 19 + [421]
    assert closed(smtp)


def test_accepted_message_resets_the_count_of_errors(smtp):
    for _ in range(3):
        assert [smtp.docmd("NONSENSE")[0] for _ in range(10)] == [500] * 10
        assert submit(smtp)[0] == 250


def test_connections_of_one_address_are_limited(tight, stack):
    def greeting(source):
        return stack.enter_context(bare(tight.port, source=source)).recv(1000)

    wait_until(lambda: greeting("127.0.2.9").startswith(b"220"))
    assert [greeting("127.0.2.1")[:3] for _ in range(4)] == [b"220"] * 4
    assert greeting("127.0.2.1") == b"421 4.7.0 Too many connections, try again later\r\n"
    assert greeting("127.0.2.2").startswith(b"220")
    line = "CONNECT peer=127.0.2.1 outcome=too_many limit=SUBMISSION_MAX_CONNECTIONS_PER_IP"
    assert line in tight.log.read_text()


def test_oldest_session_without_login_makes_room_for_a_new_one(start_listener, credential, stack):
    with start_listener(SUBMISSION_MAX_CONNECTIONS="3") as full:
        signed_in = full.login(credential, source="127.0.3.1")
        idle = full.connect(source="127.0.3.2")
        password = password_of(credential)
        for number in range(3, 6):
            smtp = full.secure(source=f"127.0.3.{number}")
            assert smtp.noop()[0] == 250
        assert idle.getreply() == (421, b"4.7.0 Too many connections, try again later")
        assert closed(idle)
        assert auth_plain(smtp, credential.username, password)[0] == 235
        last = full.login(credential, source="127.0.3.6")  # and now all have logged in
        assert bare_greeting(full, "127.0.3.7").startswith(b"421")
        last.close()
        wait_until(lambda: bare_greeting(full, "127.0.3.7").startswith(b"220"))
        assert signed_in.noop()[0] == smtp.noop()[0] == 250


def test_idle_client_without_login_is_disconnected(tight):
    smtp = tight.secure(source="127.0.4.1")
    assert smtp.getreply() == (421, b"4.4.2 Timeout, closing connection")
    assert closed(smtp)


def test_busy_client_that_never_logs_in_is_disconnected(tight):
    smtp = tight.secure(source="127.0.4.2")
    start = time.monotonic()
    while (reply := smtp.noop()[0]) == 250 and time.monotonic() - start < 8:
        time.sleep(0.2)
    assert reply == 421
    assert time.monotonic() - start > 1


def test_idle_client_with_login_is_disconnected(tight, credential):
    smtp = tight.login(credential, source="127.0.4.3")
    for _ in range(3):  # beyond the time for the login
        time.sleep(0.8)
        assert smtp.noop()[0] == 250
    assert smtp.getreply()[0] == 421


def test_client_that_stalls_in_the_handshake_is_disconnected(tight, stack):
    sock = stack.enter_context(bare(tight.port, source="127.0.4.4"))
    sock.recv(1000)
    sock.sendall(b"STARTTLS\r\n")
    assert sock.recv(1000).startswith(b"220")
    assert sock.recv(1000) == b""


def test_client_that_stalls_in_the_handshake_of_implicit_tls_is_disconnected(tight, stack):
    sock = stack.enter_context(bare(tight.tls_port, source="127.0.4.7"))
    sock.sendall(b"\x16\x03\x01")
    assert sock.recv(1000) == b""


def test_both_ports_share_the_limit_of_an_address(listener, stack):
    for _ in range(15):  # 30 connections, of conftest, each of which has its place
        assert stack.enter_context(bare(listener.port, source="127.0.2.3")).recv(1000)
        sock = bare(listener.tls_port, source="127.0.2.3")
        stack.enter_context(listener.trusting().wrap_socket(sock, server_hostname="127.0.0.1"))
    assert bare_greeting(listener, "127.0.2.3").startswith(b"421")


def test_client_that_stalls_in_data_is_disconnected(tight, credential, stack):
    smtp = tight.login(credential, source="127.0.4.5")
    for command in (f"MAIL FROM:<{SENDER}>", "RCPT TO:<a@example.org>", "DATA"):
        assert smtp.docmd(command)[0] < 400
    smtp.sock.sendall(b"From: ")
    assert smtp.getreply()[0] == 421


def test_thousand_idle_connections_stop_no_login_and_leak_no_memory(start_listener, credential):
    number = min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 300)
    environment = {"SUBMISSION_MAX_CONNECTIONS": "1100", "SUBMISSION_MAX_CONNECTIONS_PER_IP": "20"}
    # On a busy machine the first of them would be ended before the last has come.
    environment |= {"SUBMISSION_COMMAND_TIMEOUT": "600", "SUBMISSION_LOGIN_TIMEOUT": "600"}
    with start_listener(**environment) as listener:
        memory = []
        while not levels_off(memory):
            assert len(memory) < 20, f"it goes on growing: {memory}"
            with ExitStack() as idle:
                for index in range(number):
                    sock = bare(listener.port, source=f"127.0.5.{1 + index // 20}")
                    idle.enter_context(sock).sendall(b"E")
                assert bare_greeting(listener, "127.0.5.1").startswith(b"421")
                smtp = listener.secure()
                assert auth_plain(smtp, credential.username, password_of(credential))[0] == 235
                memory.append(resident(listener.process))
            wait_until(lambda: bare_greeting(listener, "127.0.5.1").startswith(b"220"))
        assert max(memory) < 250_000


def levels_off(memory: list[int]) -> bool:
    """Whether the last three rounds took hardly more than before: some 1 kB for each of 3,000 connections.

    Not how much it grows at first: how soon cycles of what is closed are collected differs from one
    Python to the next.
    """
    return len(memory) > 3 and max(memory[-3:]) < memory[-4] * 1.04


def resident(process) -> int:
    """How much memory a process holds, in kB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1])


def bare_greeting(listener, source):
    with bare(listener.port, source=source) as sock:
        return sock.recv(1000)


@pytest.mark.parametrize("in_tls", [False, True])
def test_thousands_of_pipelined_commands_do_not_delay_other_clients(listener, credential, in_tls):
    """Also before login, and with a client that doesn't read replies."""
    busy, other = listener.secure() if in_tls else listener.connect(), listener.login(credential)
    busy.sock.settimeout(0)
    waited, start = [], time.monotonic()
    process = listener.process
    while time.monotonic() - start < 3:
        with suppress(BlockingIOError, ssl.SSLWantWriteError):
            for _ in range(10):
                busy.sock.send(b"NOOP\r\n" * 4000)
        asked, computed = time.monotonic(), processor_seconds(process)
        assert other.noop()[0] == 250
        # On a busy machine all wait; what delays others is what it computes before their turn.
        waited.append(min(time.monotonic() - asked, processor_seconds(process) - computed))
    assert max(waited) < 0.7


def processor_seconds(process) -> float:
    """The processor time that a process has used (proc(5))."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_vanished_clients_free_their_places(listener):
    for _ in range(40):  # more than one address may have open
        listener.secure().close()
    wait_until(lambda: listener.connect().noop()[0] == 250)


def test_clients_that_never_close_lose_their_places(tight):
    for _ in range(4):
        tight.secure(source="127.0.4.6")  # stays open on this side, and unread
    assert bare_greeting(tight, "127.0.4.6").startswith(b"421")
    wait_until(lambda: bare_greeting(tight, "127.0.4.6").startswith(b"220"))
