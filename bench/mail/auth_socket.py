"""Sends many concurrent requests to Dovecot's auth socket as Postfix does (auth client protocol 1.1)."""

import itertools
import os
import socket
import time

from bench.mail.logins import Refused

WINDOW = 64  # unanswered requests
ANSWER_SECONDS = 60  # before the first answer a passwd-file of a million lines is read
REQUEST = b"AUTH\t%d\tPLAIN\tservice=smtp\tnologin\trip=127.0.0.1\tsecured\tresp=%b\n"

# Dovecot accepts a client number from one connection at a time.
_clients = itertools.count(os.getpid())


def rate(path, responses: list[bytes], seconds: float, chance) -> float:
    """Return logins per second with randomly chosen responses. Raises Refused."""
    with socket.socket(socket.AF_UNIX) as dovecot:
        dovecot.settimeout(ANSWER_SECONDS)
        dovecot.connect(str(path))
        _greet(dovecot)
        asked, answered, rest = 0, 0, b""
        started = time.perf_counter()
        deadline = started + seconds
        while True:
            if time.perf_counter() < deadline:
                chosen = chance.choices(responses, k=answered + WINDOW - asked)
                requests = (REQUEST % pair for pair in enumerate(chosen, start=asked + 1))
                dovecot.sendall(b"".join(requests))
                asked += len(chosen)
            elif answered == asked:
                return answered / (time.perf_counter() - started)
            answers, _, rest = (rest + _receive(dovecot)).rpartition(b"\n")
            answered += _count(answers)


def _greet(dovecot):
    dovecot.sendall(b"VERSION\t1\t1\nCPID\t%d\n" % next(_clients))
    greeting = b""
    while not greeting.endswith(b"DONE\n"):
        greeting += _receive(dovecot)


def _count(answers: bytes) -> int:
    """Count these answers. Raises Refused if one is not OK."""
    lines = answers.split(b"\n") if answers else []
    for line in lines:
        if not line.startswith(b"OK\t"):
            raise Refused(line.decode(errors="replace"))
    return len(lines)


def _receive(dovecot) -> bytes:
    data = dovecot.recv(65536)
    if not data:
        raise Refused("Dovecot closed the connection")
    return data
