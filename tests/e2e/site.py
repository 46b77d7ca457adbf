"""The servers under test, gunicorn and the submission listener, and an SMTP client for what the page shows."""

import email
import re
import smtplib
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path

from tests.environment import VAR_DIR
from tests.servers import collect_static, free_port, running
from tests.submission.next_hop_server import Sink, SinkServer

SMTP_SECONDS = 60
LETTER_SECONDS = 60


@dataclass(frozen=True)
class Site:
    """A running site; what its servers wrote lies in `logs`, the mail to its people in `inbox`."""

    url: str
    smtp_port: int
    logs: tuple[Path, ...]
    inbox: Sink

    def all_logs(self) -> bytes:
        return b"\n".join(log.read_bytes() for log in self.logs)

    def letter_to(self, address, subject) -> EmailMessage:
        """The letter with this subject, once the mail server has it."""
        deadline = time.monotonic() + LETTER_SECONDS
        while time.monotonic() < deadline:
            for _from, to, content in list(self.inbox.messages):
                letter = email.message_from_bytes(content, policy=policy.default)
                if to == [address] and letter["Subject"] == subject:
                    return letter
            time.sleep(0.05)  # the server's own thread sends it
        raise AssertionError(f"No letter {subject!r} came to {address}.")


def link_in(letter) -> str:
    """The link of a letter, which stands in a line of its own."""
    return re.search(r"^(http://\S+)\s*$", letter.get_body(("plain",)).get_content(), re.M)[1]


@contextmanager
def serving(**settings):
    """Run both servers until the block ends, with hashed static files, chatty logs and more settings."""
    collect_static()
    web, smtp = free_port(), free_port()
    access, output, mail = (VAR_DIR / f"e2e-{name}.log" for name in ("access", "web", "mail"))
    environment = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp),
        "SUBMISSION_PORT": str(smtp),
        "PORT": str(web),
        "ACCESS_LOG": str(access),
        "LOG_LEVEL": "DEBUG",
        **settings,
    }
    with (
        SinkServer() as sink,
        running(["-m", "gunicorn", "sendlayer.wsgi"], port=web, log=output, EMAIL_URL=sink.url, **environment),
        running(["manage.py", "submission"], port=smtp, log=mail, **environment),
    ):
        yield Site(f"http://127.0.0.1:{web}", smtp, (access, output, mail), sink.sink)


@dataclass(frozen=True)
class Connection:
    """What a person copies from a row of the tab into a site."""

    username: str
    host: str
    port: int

    def send(self, password: str, subject: str, name: str | None = None) -> bytes:
        """Send a message the way a site of this name does; return it as the listener keeps it."""
        message = EmailMessage()
        message["From"], message["To"] = "info@sl.example.com", "somebody@example.org"
        message["Subject"] = subject
        message.set_content("Your order is on its way.")
        with self._secure(name) as smtp:
            smtp.login(self.username, password)
            smtp.send_message(message)
        kept = (path.read_bytes() for path in (VAR_DIR / "outbox" / "new").iterdir())
        (found,) = (content for content in kept if f"Subject: {subject}".encode() in content)
        return found

    def refusal(self, password: str) -> int | None:
        """The code that a login is refused with; None when it is accepted."""
        line = self.refusal_line(password)
        return int(line[:3]) if line else None

    def refusal_line(self, password: str) -> str:
        """The line that a login is refused with, as a site logs it; "" when it is accepted."""
        with self._secure() as smtp:
            try:
                smtp.login(self.username, password)
            except smtplib.SMTPAuthenticationError as error:
                return f"{error.smtp_code} {error.smtp_error.decode()}"
        return ""

    def _secure(self, name: str | None = None) -> smtplib.SMTP:
        certificate = VAR_DIR / "tls" / "submission.crt"
        smtp = smtplib.SMTP(self.host, self.port, local_hostname=name, timeout=SMTP_SECONDS)
        smtp.starttls(context=ssl.create_default_context(cafile=certificate))
        return smtp
