"""What the milter costs a message: asked at its socket, and through Postfix with it and without."""

import random
import smtplib
import ssl
import time
from contextlib import closing, contextmanager
from statistics import median

from bench.mail.logins import SEED, Refused
from tests.mail.milters import OFFER, MilterClient

MESSAGES = 500
OTHER_FIELDS = [(b"X-Field-%d" % number, b"x" * 60) for number in range(20)]
BODY = b"".join(b"%b: %b\r\n" % field for field in OTHER_FIELDS) + b"\r\nBody\r\n"


def at_socket(port: int) -> list[float]:
    """Seconds of the milter's answers to messages of a mail server. Raises Refused, OSError."""
    with closing(MilterClient(port)) as server:
        server.ask((b"O", OFFER))
        sender = "info@site1.example.com"
        fields = [(b"From", f"=?utf-8?q?J=C3=B6rg?= <{sender}>".encode()), *OTHER_FIELDS]

        def send():
            answer = server.judge(*fields, sender=sender)
            if answer != (b"a", b""):
                raise Refused(f"the milter: {answer!r}")

        return [_seconds(send) for _ in range(MESSAGES)]


def through_postfix(ports: list[int], response: bytes, sender: str) -> list[list[float]]:
    """Seconds of the same messages with each Postfix, by turns. Raises Refused, OSError."""
    message = f"From: =?utf-8?q?J=C3=B6rg?= <{sender}>\r\n".encode() + BODY
    times: list[list[float]] = [[] for _ in ports]
    order = random.Random(SEED)  # noqa: S311
    with _session(ports[0], response) as first, _session(ports[1], response) as second:
        turns = list(zip((first, second), times, strict=True))
        for _ in range(MESSAGES):
            order.shuffle(turns)
            for smtp, measured in turns:
                measured.append(_seconds(lambda smtp=smtp: _submit(smtp, sender, message)))
    return times


def show(at_socket: list[float], without: list[float], judged: list[float]):
    answer = 1000 * median(at_socket)
    # Of each turn, so that other load affects both.
    more = 1000 * median(one - other for one, other in zip(judged, without, strict=True))
    print("\nMilliseconds of a message with 21 fields, median")
    print(f"  the milter's answer {answer:.2f} (at most 0.50: {'ok' if answer <= 0.5 else 'ABOVE'})")
    print(f"  through Postfix {1000 * median(without):.2f}, with the milter {more:.2f} more")


@contextmanager
def _session(port, response):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
        smtp.starttls(context=context)
        smtp.ehlo()
        _check(smtp.docmd("AUTH", f"PLAIN {response.decode()}"))
        yield smtp


def _submit(smtp, sender, message):
    for command in (f"MAIL FROM:<{sender}>", "RCPT TO:<somebody@example.org>", "DATA"):
        _check(smtp.docmd(command))
    smtp.sock.sendall(message + b".\r\n")
    _check(smtp.getreply())


def _check(reply):
    if reply[0] >= 400:
        raise Refused(f"{reply[0]} {reply[1].decode(errors='replace')}")


def _seconds(function) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started
