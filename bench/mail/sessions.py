"""Whole sessions with Postfix from a few processes: STARTTLS, AUTH PLAIN, QUIT, on plain sockets."""

import multiprocessing
import random
import signal
import socket
import ssl
import time

from bench.mail.logins import Refused

CLIENTS = 6
ANSWER_SECONDS = 60

_fork = multiprocessing.get_context("fork")


def rate(port, responses: list[bytes], seconds: float, chance) -> float:
    """Return sessions per second with randomly chosen responses. Raises Refused, OSError."""
    started = [_start(port, responses, seconds, chance.random()) for _ in range(CLIENTS)]
    try:
        answers = [answer.recv() for _process, answer in started]
    finally:
        for process, answer in started:
            process.kill()
            process.join()
            answer.close()
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return sum(answers)


def _start(*arguments):
    answer, its_end = multiprocessing.Pipe(duplex=False)
    process = _fork.Process(target=_run, args=(its_end, *arguments), daemon=True)
    process.start()
    its_end.close()
    return process, answer


def _run(answer, *arguments):
    # Ctrl-C reaches all processes; the parent stops these.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        answer.send(_rate(*arguments))
    except (Refused, OSError) as error:
        answer.send(error)


def _rate(port, responses, seconds, seed) -> float:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    chance, number = random.Random(seed), 0  # noqa: S311
    started = time.perf_counter()
    while time.perf_counter() < started + seconds:
        _session(port, context, chance.choice(responses))
        number += 1
    return number / (time.perf_counter() - started)


def _session(port, context, response):
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as plain:
        _ask(plain, b"", b"220")
        _ask(plain, b"EHLO bench.example.com\r\n", b"250")
        _ask(plain, b"STARTTLS\r\n", b"220")
        with context.wrap_socket(plain) as secure:
            _ask(secure, b"EHLO bench.example.com\r\n", b"250")
            _ask(secure, b"AUTH PLAIN " + response + b"\r\n", b"235")
            _ask(secure, b"QUIT\r\n", b"221")


def _ask(stream, command, code):
    """Send a command and read the reply. Raises Refused if it has another code."""
    stream.sendall(command)
    reply = b""
    # The last line of a reply has a space after its code.
    while not (reply.endswith(b"\r\n") and reply.splitlines()[-1][3:4] == b" "):
        data = stream.recv(4096)
        if not data:
            raise Refused(f"Postfix closed the connection after {command[:10]!r}, {reply!r}")
        reply += data
    if not reply.startswith(code):
        raise Refused(f"{command[:10]!r}: {reply.decode(errors='replace').strip()}")
