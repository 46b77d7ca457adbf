"""Run a client program as a site would, on this machine or in a throw-away root, and judge what arrived."""

import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.clients.programs import Program
from tests.submission.clients import wait_until

SCRIPTS = Path(__file__).parent / "scripts"
SECONDS = 40
MANY = tuple(f"somebody-{number}@example.org" for number in range(120))
NAME, SUBJECT = "Müller & Söhne", "Grüße aus Köln – 5 €"
TEXT = f"""Guten Tag,

5 € für Ćevapčići, ß und 漢字.
.
..two dots
From the start of a line
blank at the end{" "}
{"a long line " * 75}

Müller & Söhne
"""
BILL = b"%PDF-1.4\n" + bytes(range(256)) * 8
PATCH = f"""From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: {NAME} <SENDER>
Subject: {SUBJECT}
Date: Mon, 30 Nov 2026 12:00:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

{TEXT}
"""


@dataclass(frozen=True)
class Site:
    """What a program is given. `root` is put before its command: that of a throw-away root."""

    home: Path
    certificate: Path
    port: int
    tls_port: int | None
    login: str
    password: str
    sender: str
    recipients: tuple[str, ...] = ("somebody@example.org",)
    root: tuple[str, ...] = field(default=())

    @property
    def environment(self) -> dict[str, str]:
        certificate = str(self.certificate)
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "HOST": "localhost",
            "PORT": str(self.port),
            "TLS_PORT": str(self.tls_port or ""),
            "LOGIN": self.login,
            "PASSWORD": self.password,
            "CA": certificate,
            "SSL_CERT_FILE": certificate,
            "NODE_EXTRA_CA_CERTS": certificate,
            "NODE_PATH": "/usr/share/nodejs",
            "SENDER": self.sender,
            "NAME": NAME,
            "SUBJECT": SUBJECT,
            "RECIPIENTS": " ".join(self.recipients),
            "TO": ",".join(self.recipients),
            "SCRIPTS": str(SCRIPTS),
        }


def message(sender: str) -> bytes:
    """A whole message, as programs get it that don't make their own."""
    made = EmailMessage(policy=policy.default.clone(cte_type="8bit"))
    made["From"] = f'"{NAME}" <{sender}>'
    made["To"] = "somebody@example.org"
    made["Subject"] = SUBJECT
    made.set_content(TEXT, cte="8bit")
    made.add_attachment(BILL, maintype="application", subtype="pdf", filename="bill.pdf")
    made.set_boundary("a-boundary")
    return bytes(made)


def run(program: Program, site: Site) -> tuple[int, str]:
    """Run it in its home; return its exit status and all that it said."""
    site.home.mkdir(exist_ok=True)
    (site.home / "body.txt").write_text(TEXT)
    (site.home / "bill.pdf").write_bytes(BILL)
    (site.home / "message.eml").write_bytes(message(site.sender))
    (site.home / "patch.eml").write_text(PATCH.replace("SENDER", site.sender))
    try:
        done = subprocess.run(
            [*site.root, "bash", "-ec", program.command],
            cwd=site.home,
            env=site.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        return 124, f"no end after {SECONDS} s: {error.output}"
    return done.returncode, done.stdout


def differences(program: Program, arrived: bytes, sender: str) -> list[str]:
    """Name what is not as it was given."""
    if program.sends == "message":
        body = message(sender).replace(b"\n", b"\r\n").partition(b"\r\n\r\n")[2]
        # Some add an empty line at the end.
        return [] if arrived.partition(b"\r\n\r\n")[2].rstrip() == body.rstrip() else ["body"]
    parsed = message_from_bytes(arrived, policy=policy.default)
    (text, *attached) = [part for part in parsed.walk() if not part.is_multipart()]
    found = {
        "text": re.sub(r"\r*\n", "\n", text.get_content()).rstrip("\n") == TEXT.rstrip("\n"),
        "bill": bool(attached) and attached[0].get_content() == BILL,
        "subject": str(parsed["Subject"]) == SUBJECT,
        "name": parsed["From"].addresses[0].display_name == NAME,
    }
    return [name for name in program.sends.split() if not found[name]]


# What programs say of a refused login or sender that show neither code.
_WORDS = {
    535: r"Login denied|[Aa]uthentication[^\n]{0,40}? failed|[Cc]ould not authenticate|Authentication failure",
    553: r"rejected by remote party",
}
# Without a login.
_WENT_ON = r"\b4[25][01]\b"
_ENHANCED = {535: r"5\.7\.8", 553: r"5\.7\.1"}


def refusal(said: str, code: int) -> str:
    """The code, or words that stand for it, in what a program said; or ""."""
    for pattern in (rf"\b{code}\b", rf"\b{_ENHANCED[code]}\b", _WENT_ON, _WORDS[code]):
        if found := re.search(pattern, said):
            return re.sub(r" to (localhost|127\.0\.0\.1):\d+", "", found[0])
    return ""


@dataclass(frozen=True)
class Outcome:
    """What became of each try: "" if all is well, otherwise what is wrong; of a refusal, what was said."""

    sends: str
    body: str
    many: str
    wrong_password: str
    wrong_sender: str
    deleted: str


def examine(program: Program, site: Site, next_hop, revoke) -> Outcome:
    """Try a program out: right, to 120 recipients, and refused for each reason, the last time after `revoke`.

    `next_hop` is the tests' Sink behind the server. A refusal that the program doesn't show, or after which
    its message arrived, is "no".
    """

    def try_it(at: Site) -> tuple[str, list]:
        next_hop.forget()
        failed, said = run(program, at)
        with suppress(AssertionError):  # fewer arrived
            failed or wait_until(
                lambda: sum(len(got[1]) for got in next_hop.messages) >= len(at.recipients), 10
            )
        return said, list(next_hop.messages)

    def refused(code: int, **changes) -> str:
        next_hop.forget()
        failed, said = run(program, replace(site, **changes))
        return (failed and not next_hop.messages and refusal(said, code)) or "no"

    said, arrived = try_it(site)
    many = try_it(replace(site, recipients=MANY))[1]
    return Outcome(
        sends="" if arrived else said[-500:],
        body=", ".join(differences(program, arrived[0][2], site.sender)) if arrived else "-",
        many="" if {address for got in many for address in got[1]} == set(MANY) else "no",
        wrong_password=refused(535, password="sl_wrong"),  # noqa: S106
        wrong_sender=refused(553, sender="info@other.example"),
        deleted=revoke() or refused(535),
    )
