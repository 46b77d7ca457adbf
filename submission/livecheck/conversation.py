"""One SMTP conversation, from the connection to QUIT, and its transcript. No Django."""

import base64
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from submission.ip import plain_ip
from submission.livecheck import certificates, wire
from submission.livecheck.redaction import MASK, Redactor
from submission.livecheck.wire import Failed, Fault

MAX_REPLY_LINES = 50
MAX_SHOWN = 300  # characters of a line in the transcript

_REPLY_LINE = re.compile(r"(?P<code>[2-5]\d\d)(?:(?P<sign>[ -])(?P<text>.*))?", re.DOTALL)
_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")  # printable ASCII without blanks and <>


class Stage(Enum):
    """The steps in their order, as people read them."""

    CONNECT = "Connect"
    GREETING = "Greet"
    TLS = "Encrypt with STARTTLS"
    LOGIN = "Log in"
    SENDER = "Name the sender"
    RECIPIENT = "Name the recipient"
    MESSAGE = "Send the test message"
    END = "Say goodbye"


@dataclass
class Step:
    """A step and its lines: `C:` and `S:` are what client and server said, `*` what we saw."""

    title: str
    state: str = "running"  # then "done" or "failed"
    lines: list[str] = field(default_factory=list)
    ms: int = 0


@dataclass(frozen=True)
class Plan:
    """What is asked of which server; without `message`, nothing is sent."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    sender: str
    recipient: str
    own_certificate: Path
    message: bytes | None = None


class Reply(NamedTuple):
    """A reply that may be shown: lines without their codes, joined."""

    code: int
    text: str

    def __str__(self):
        return f"{self.code} {self.text}".strip()


@dataclass
class Verdict:
    """How it went. Where it failed, `stage` and `fault` say at what, and `reply` what the server last said."""

    stage: Stage = Stage.CONNECT
    fault: Fault | None = None
    detail: str = ""
    reply: Reply | None = None
    own_ip: str = ""
    is_self_signed: bool = False


class Conversation:
    """Holds a conversation; `tell(steps)` is called whenever a step begins.

    `before_login(ip)` is called with our own address before the password goes out.
    """

    def __init__(self, plan: Plan, *, seconds: float, tell: Callable, before_login: Callable):
        self._plan, self._tell, self._before_login = plan, tell, before_login
        self._ends_at = time.monotonic() + seconds
        login = f"\0{plan.username}\0{plan.password}".encode()
        self._login = base64.b64encode(login).decode()
        self._redact = Redactor(plan.password, self._login)
        self._wire: wire.Wire | None = None
        self._offered: dict[str, set[str]] = {}
        self._verdict = Verdict()
        self.steps: list[Step] = []

    def hold(self) -> Verdict:
        """Go through the steps until one fails."""
        try:
            for stage, act in self._acts():
                self._begin(stage)
                act()
                self._finish("done")
        except Failed as failed:
            self._finish("failed")
            self._verdict.fault, self._verdict.detail = failed.fault, failed.detail
            self._part()
        finally:
            if self._wire:
                self._wire.close()
        return self._verdict

    def _acts(self):
        yield Stage.CONNECT, self._connect
        yield Stage.GREETING, self._greet
        yield Stage.TLS, self._encrypt
        yield Stage.LOGIN, self._log_in
        yield Stage.SENDER, self._name_sender
        yield Stage.RECIPIENT, self._name_recipient
        if self._plan.message:
            yield Stage.MESSAGE, self._send_message
        yield Stage.END, self._say_goodbye

    def _begin(self, stage: Stage) -> None:
        self._verdict.stage, self._begun_at = stage, time.monotonic()
        self.steps.append(Step(stage.value))
        self._tell(self.steps)

    def _finish(self, state: str) -> None:
        self.steps[-1].state = state
        self.steps[-1].ms = round((time.monotonic() - self._begun_at) * 1000)

    def _connect(self):
        self._note("*", f"{self._plan.host}, port {self._plan.port}")
        self._wire = wire.connect(self._plan.host, self._plan.port, self._ends_at)
        self._verdict.own_ip = plain_ip(self._wire.own_ip)
        self._note("*", f"Connected from {self._verdict.own_ip} to {plain_ip(self._wire.peer)}")

    def _greet(self):
        self._read(220)
        self._hello()

    def _encrypt(self):
        if "STARTTLS" not in self._offered:
            raise Failed(Fault.NO_STARTTLS)
        self._ask("STARTTLS", 220)
        own = self._plan.own_certificate
        met = self._wire.start_tls(certificates.context(own), self._plan.host)
        for line in certificates.describe(met):
            self._note("*", line)
        self._verdict.is_self_signed = certificates.is_own(met, own)
        # What was offered before TLS counts no longer, RFC 3207 section 4.2.
        self._hello()

    def _log_in(self):
        if "PLAIN" not in self._offered.get("AUTH", ()):
            raise Failed(Fault.NO_LOGIN)
        self._before_login(self._verdict.own_ip)
        self._ask(f"AUTH PLAIN {self._login}", 235, shown=f"AUTH PLAIN {MASK}")

    def _name_sender(self):
        self._ask(f"MAIL FROM:<{self._plan.sender}>", 250)

    def _name_recipient(self):
        if not _ADDRESS.fullmatch(self._plan.recipient):
            raise Failed(Fault.ADDRESS)
        self._ask(f"RCPT TO:<{self._plan.recipient}>", 250, 251, 252)

    def _send_message(self):
        self._ask("DATA", 354)
        content = re.sub(rb"^\.", b"..", self._plan.message, flags=re.MULTILINE)
        self._note("C:", f"(a message of {len(self._plan.message)} bytes, then a line with a dot)")
        self._wire.send(content + b".\r\n")
        self._read(250)

    def _say_goodbye(self):
        accepted = self._verdict.reply
        with suppress(Failed):  # all that matters is said
            if not self._plan.message:
                self._ask("RSET", 250)
            self._ask("QUIT", 221)
        self._verdict.reply = accepted

    def _part(self):
        """Leave politely after a refusal; whether the server hears it is its own affair."""
        if self._verdict.fault is Fault.REPLY and self._verdict.reply.code != 421:
            with suppress(Failed):
                self._wire.send(b"QUIT\r\n")

    def _hello(self):
        ip = self._verdict.own_ip
        # A client without a name gives its address, RFC 5321 section 4.1.3.
        lines = self._ask(f"EHLO [IPv6:{ip}]" if ":" in ip else f"EHLO [{ip}]", 250)
        words = [line.upper().split() for line in lines[1:]]
        self._offered = {keyword: set(rest) for keyword, *rest in filter(None, words)}

    def _ask(self, command: str, *codes: int, shown: str = "") -> list[str]:
        """Send a command; return the lines of its reply. Raises Failed when its code is none of those."""
        self._note("C:", shown or command)
        self._wire.send(command.encode() + b"\r\n")
        return self._read(*codes)

    def _read(self, *codes: int) -> list[str]:
        self._verdict.reply = None
        texts, number = [], None
        for _ in range(MAX_REPLY_LINES):
            line = self._wire.read_line()
            self._note("S:", line)
            match = _REPLY_LINE.fullmatch(line)
            if not match or number not in (None, match["code"]):
                raise Failed(Fault.NOT_SMTP, "a reply of another form")
            number = match["code"]
            texts.append(match["text"] or "")
            if match["sign"] != "-":
                break
        else:
            raise Failed(Fault.NOT_SMTP, f"a reply of more than {MAX_REPLY_LINES} lines")
        self._verdict.reply = Reply(int(number), self._showable(" ".join(texts)))
        if int(number) not in codes:
            raise Failed(Fault.REPLY)
        return texts

    def _note(self, who: str, text: str) -> None:
        self.steps[-1].lines.append(f"{who} {self._showable(text)}")

    def _showable(self, text: str) -> str:
        """A text without the secret, without what could disturb a page, and not too long."""
        text = "".join(c if c.isprintable() else "?" for c in self._redact(text))
        return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
