"""SMTP clients for the tests: smtplib over verified TLS, and bare sockets."""

import base64
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from tests import factories

SENDER = "info@sl.example.com"
RECIPIENT = "somebody@example.org"
MESSAGE = f"From: Info <{SENDER}>\r\nSubject: Hello\r\n\r\nBody\r\n".encode()
TIMEOUT = 30


@dataclass
class Listener:
    """A running `manage.py submission`."""

    port: int
    log: Path
    var_dir: Path
    process: object = None
    tls_port: int = 0

    def connect(self, name="client.example", *, source="127.0.0.1") -> smtplib.SMTP:
        """An smtplib client that has said EHLO, without TLS."""
        smtp = smtplib.SMTP("127.0.0.1", self.port, timeout=TIMEOUT, source_address=(source, 0))
        smtp.ehlo(name)
        return smtp

    def secure(self, name="client.example", **options) -> smtplib.SMTP:
        """An smtplib client that has said EHLO within TLS, the certificate verified."""
        smtp = self.connect(name, **options)
        smtp.starttls(context=self.trusting())
        smtp.ehlo(name)
        return smtp

    def secure_from_the_start(self, name="client.example") -> smtplib.SMTP_SSL:
        """The same on the port with implicit TLS."""
        smtp = smtplib.SMTP_SSL("127.0.0.1", self.tls_port, timeout=TIMEOUT, context=self.trusting())
        smtp.ehlo(name)
        return smtp

    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts the listener's certificate."""
        return ssl.create_default_context(cafile=self.var_dir / "tls" / "submission.crt")

    def login(self, credential, **options) -> smtplib.SMTP:
        """An smtplib client that has logged in."""
        return self.login_with(credential.username, factories.password_of(credential), **options)

    def login_with(self, username, password, **options) -> smtplib.SMTP:
        smtp = self.secure(**options)
        assert auth_plain(smtp, username, password)[0] == 235
        return smtp

    def messages(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.var_dir / "outbox" / "new").iterdir())]


def encoded(*parts) -> str:
    """The parts joined by NUL, as base64."""
    joined = b"\0".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return base64.b64encode(joined).decode()


def auth_plain(smtp, username, password, identity=""):
    return smtp.docmd("AUTH", "PLAIN " + encoded(identity, username, password))


def auth_login(smtp, username, password):
    assert smtp.docmd("AUTH", "LOGIN") == (334, b"VXNlcm5hbWU6")
    assert smtp.docmd(encoded(username)) == (334, b"UGFzc3dvcmQ6")
    return smtp.docmd(encoded(password))


def submit(smtp, message=MESSAGE, *, sender=SENDER, recipients=(RECIPIENT,)):
    """Send a message; return the first refusal, or the reply after DATA."""
    commands = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA"]
    for command in commands:
        reply = smtp.docmd(command)
        if reply[0] >= 400:
            return reply
    return finish(smtp, message)


def finish(smtp, message=MESSAGE):
    """Send the bytes after DATA unchanged, then the dot."""
    smtp.sock.sendall(message + b".\r\n")
    return smtp.getreply()


def closed(smtp) -> bool:
    """Whether the server closed the connection."""
    try:
        return smtp.sock is None or smtp.sock.recv(1000) == b""
    except (ConnectionError, ssl.SSLError):
        return True


def bare(port, *, source="127.0.0.1") -> socket.socket:
    """A connected socket from which nothing has been read."""
    return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT, source_address=(source, 0))


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return result
