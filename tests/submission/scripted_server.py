"""A mail server in a thread that replies as a test scripts it, and records the commands."""

import socket
import threading
from contextlib import ExitStack, suppress

from submission.listener import tls

ANSWERS = {
    "connect": "220 scripted.example ESMTP",
    "STARTTLS": "220 2.0.0 Go ahead",
    "AUTH": "235 2.7.0 Welcome",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 Go ahead",
    "message": "250 2.0.0 Ok: queued as 4711",
    "RSET": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 Bye",
}


def hang_up(server, connection, line):
    """Close without a reply."""
    connection.shutdown(socket.SHUT_RDWR)


def be_silent(server, connection, line):
    """Send nothing until the test has ended, then hang up."""
    server.stopping.wait(20)
    hang_up(server, connection, line)


def drip(server, connection, line):
    """Send an endless reply, one byte every 20 ms, so that no single wait is long."""
    while not server.stopping.wait(0.02):
        connection.sendall(b"2")


def flood(server, connection, line):
    while not server.stopping.is_set():
        connection.sendall(b"250-More of the same\r\n" * 100)


def flood_without_lines(server, connection, line):
    while not server.stopping.is_set():
        connection.sendall(b"x" * 10_000)


def echo(server, connection, line):
    """Refuse, and repeat the command."""
    connection.sendall(b"535 5.7.8 You said: " + line.encode() + b"\r\n")


def talk_ahead(server, connection, line):
    """Agree to TLS, and inject the beginning of another reply before it."""
    connection.sendall(b"220 Go ahead\r\n250-scripted.example\r\n250-AUTH PLAIN\r\n")


AGREE_TO_TLS = (ANSWERS["STARTTLS"], talk_ahead)


class Scripted:
    """`answers` are replies, or functions of (server, connection, line), by the command's first word."""

    def __init__(self, certificate=None, offers=("STARTTLS",), offers_in_tls=("AUTH PLAIN LOGIN",), **answers):
        self.answers = ANSWERS | answers
        self.commands, self.messages = [], []
        self.stopping = threading.Event()
        self._offers, self._offers_in_tls = offers, offers_in_tls
        self._context = tls.context()
        if certificate:
            tls.load(self._context, *certificate)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    @property
    def verbs(self) -> list[str]:
        return [command.split(" ")[0] for command in self.commands]

    def _accept(self):
        while not self.stopping.is_set():
            try:
                connection, _peer = self._listening.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=[connection], daemon=True))
            self._threads[-1].start()

    def _serve(self, connection):
        connection.settimeout(20)
        with ExitStack() as stack, suppress(OSError):  # the client may go away
            stack.enter_context(connection)
            self._answer(connection, "connect")
            self._talk(connection, self._offers)
            if self.verbs[-1:] == ["STARTTLS"]:
                connection = stack.enter_context(self._context.wrap_socket(connection, server_side=True))
                self._talk(connection, self._offers_in_tls)

    def _talk(self, connection, offers):
        """Reply until the client leaves or TLS starts."""
        with connection.makefile("rb") as lines:
            while line := lines.readline():
                command = line.decode().rstrip("\r\n")
                self.commands.append(command)
                verb = command.split(" ")[0]
                if verb == "EHLO":
                    hello = "".join(f"250-{line}\r\n" for line in ("scripted.example", *offers))
                    connection.sendall(f"{hello}250 SIZE 1000000\r\n".encode())
                    continue
                self._answer(connection, verb, command)
                if verb == "QUIT" or (verb == "STARTTLS" and self.answers[verb] in AGREE_TO_TLS):
                    return
                if verb == "DATA" and self.answers[verb] is ANSWERS[verb]:
                    content = iter(lambda: lines.readline() or b".\r\n", b".\r\n")
                    self.messages.append(b"".join(content))
                    self._answer(connection, "message")

    def _answer(self, connection, verb, line=""):
        answer = self.answers[verb]
        if callable(answer):
            answer(self, connection, line)
        else:
            connection.sendall(answer.encode() + b"\r\n")
