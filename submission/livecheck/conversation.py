"""The SMTP conversation of a check, from the connection to QUIT, and its transcript."""

import asyncio
import base64
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from aiosmtplib import SMTP, SMTPException, SMTPResponse, SMTPResponseException

from submission.ip import plain_ip
from submission.livecheck import certificates, connection
from submission.livecheck.faults import Failed, Fault, classify
from submission.livecheck.redaction import MASK, Redactor

MAX_REPLY_LINES = 50  # of one reply in the transcript
MAX_SHOWN = 300  # characters of a line in the transcript
QUIT_SECONDS = 1

_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")  # printable ASCII without blanks and <>


class Stage(Enum):
    """The steps in their order, as the screen shows them."""

    CONNECT = "Connect"
    GREETING = "Greet"
    TLS = "Encrypt with STARTTLS"
    LOGIN = "Log in"
    SENDER = "Name the sender"
    RECIPIENT = "Name the recipient"
    MESSAGE = "Send the test message"
    END = "Say goodbye"


@dataclass
class CheckStep:
    """A step and its transcript: `C:` and `S:` are the lines of client and server, `*` are notes."""

    title: str
    state: str = "running"  # then "done" or "failed"
    lines: list[str] = field(default_factory=list)
    ms: int = 0


@dataclass(frozen=True)
class Plan:
    """The server, login and addresses to check; without `message`, nothing is sent."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    sender: str
    recipient: str
    own_certificate: Path
    message: bytes | None = None


@dataclass
class Verdict:
    """The result: the stage that was reached, the fault if it failed, and the server's last reply."""

    stage: Stage = Stage.CONNECT
    fault: Fault | None = None
    detail: str = ""
    reply: SMTPResponse | None = None
    own_ip: str = ""
    is_self_signed: bool = False


class Conversation:
    """Holds a conversation. Calls `on_step(steps)` whenever a step begins.

    Calls `before_login(ip)` with our own address before it sends the password.
    """

    def __init__(self, plan: Plan, *, seconds: float, on_step: Callable, before_login: Callable):
        self._plan, self._seconds, self._on_step, self._before_login = plan, seconds, on_step, before_login
        login = f"\0{plan.username}\0{plan.password}".encode()
        self._login = base64.b64encode(login).decode()
        self._redact = Redactor(plan.password, self._login)
        self._client = SMTP(hostname=plan.host, timeout=None, start_tls=False)
        self._socket: socket.socket | None = None
        self._transport: asyncio.BaseTransport | None = None
        self._verdict = Verdict()
        self.steps: list[CheckStep] = []

    def run(self) -> Verdict:
        """Go through the steps until one fails or the time is over."""
        loop = asyncio.new_event_loop()
        ends_at = loop.time() + self._seconds
        try:
            # The loop runs only within steps: on_step and before_login use the database, which Django allows
            # only outside of it.
            for stage, act in self._acts():
                self._begin(stage)
                loop.run_until_complete(asyncio.wait_for(act(), ends_at - loop.time()))
                self._finish("done")
        except (Failed, SMTPException, OSError, UnicodeError) as error:  # OSError: time, TLS and names too
            self._fail(error)
        finally:
            loop.run_until_complete(self._close())
            loop.close()
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
        self.steps.append(CheckStep(stage.value))
        self._on_step(self.steps)

    def _finish(self, state: str) -> None:
        self.steps[-1].state = state
        self.steps[-1].ms = round((time.monotonic() - self._begun_at) * 1000)

    def _fail(self, error: Exception) -> None:
        if self._verdict.stage is Stage.END:  # nothing after this matters
            return self._finish("done")
        self._finish("failed")
        self._verdict.reply = None
        if isinstance(error, SMTPResponseException) and error.code > 0:
            self._record(SMTPResponse(error.code, error.message))
        elif isinstance(error, SMTPException):
            self._note("*", error.message)
        self._verdict.fault, self._verdict.detail = classify(error)

    async def _close(self) -> None:
        """Say QUIT after a refusal, and close the connection."""
        if self._verdict.fault is Fault.REPLY:
            with suppress(SMTPException):
                await self._client.quit(timeout=QUIT_SECONDS)
        if self._transport:
            self._transport.abort()  # close() would wait for the server's close_notify in TLS
        await asyncio.sleep(0)
        if self._socket:
            self._socket.close()

    async def _connect(self):
        host, port = self._plan.host, self._plan.port
        self._note("*", f"{host}, port {port}")
        self._socket = await connection.connect(host, port, self._seconds)
        self._verdict.own_ip = own_ip = plain_ip(self._socket.getsockname()[0])
        # A client without a name uses its address (RFC 5321 section 4.1.3).
        self._client.local_hostname = f"[IPv6:{own_ip}]" if ":" in own_ip else f"[{own_ip}]"
        self._note("*", f"Connected from {own_ip} to {plain_ip(self._socket.getpeername()[0])}")

    async def _greet(self):
        self._record(await self._client.connect(sock=self._socket))
        self._transport = self._client.transport
        await self._say_hello()

    async def _encrypt(self):
        if not self._client.supports_extension("starttls"):
            raise Failed(Fault.NO_STARTTLS)
        self._note("C:", "STARTTLS")
        own = self._plan.own_certificate
        self._record(await self._client.starttls(tls_context=certificates.context(own)))
        session = self._client.get_transport_info("ssl_object")
        for line in certificates.describe(session):
            self._note("*", line)
        self._verdict.is_self_signed = certificates.is_own(session, own)
        # Extensions from before TLS no longer count (RFC 3207 section 4.2).
        await self._say_hello()

    def _log_in(self):
        if "plain" not in self._client.server_auth_methods:
            raise Failed(Fault.NO_LOGIN)
        self._before_login(self._verdict.own_ip)
        return self._command(f"AUTH PLAIN {self._login}", 235, shown=f"AUTH PLAIN {MASK}")

    async def _name_sender(self):
        await self._command(f"MAIL FROM:<{self._plan.sender}>", 250)

    async def _name_recipient(self):
        if not _ADDRESS.fullmatch(self._plan.recipient):
            raise Failed(Fault.ADDRESS)
        await self._command(f"RCPT TO:<{self._plan.recipient}>", 250, 251, 252)

    async def _send_message(self):
        self._note("C:", f"DATA, then a message of {len(self._plan.message)} bytes")
        self._record(await self._client.data(self._plan.message))

    async def _say_goodbye(self):
        if not self._plan.message:
            await self._command("RSET", 250)
        await self._command("QUIT", 221)

    async def _say_hello(self):
        self._client.last_ehlo_response = await self._command(f"EHLO {self._client.local_hostname}", 250)

    async def _command(self, command: str, *codes: int, shown: str = "") -> SMTPResponse:
        """Send a command; return the reply. Raises SMTPResponseException if its code is not one of `codes`."""
        self._note("C:", shown or command)
        response = await self._client.execute_command(command.encode())
        if response.code not in codes:
            raise SMTPResponseException(*response)
        self._record(response)
        return response

    def _record(self, response: SMTPResponse) -> None:
        """Write a reply into the transcript, and keep it unless it answers the goodbye."""
        *lines, last = response.message.split("\n")[:MAX_REPLY_LINES]
        for line in lines:
            self._note("S:", f"{response.code}-{line}")
        self._note("S:", f"{response.code} {last}".strip())
        if self._verdict.stage is not Stage.END:
            self._verdict.reply = SMTPResponse(response.code, self._showable(" ".join([*lines, last])))

    def _note(self, who: str, text: str) -> None:
        self.steps[-1].lines.append(f"{who} {self._showable(text)}")

    def _showable(self, text: str) -> str:
        """A text without secrets and unprintable characters, shortened."""
        text = "".join(c if c.isprintable() else "?" for c in self._redact(text))
        return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
