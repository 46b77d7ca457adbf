"""One SMTP session: its start and end, its loop of commands, its limits."""

import asyncio
import base64
import ssl
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field

from submission import log
from submission.delivery.message import Envelope
from submission.ip import client_of
from submission.listener import commands, lines, replies, sasl
from submission.listener.authentication import LoggedIn
from submission.listener.connection import ClientConnection
from submission.listener.handler import Handler
from submission.listener.limits import MAX_ERRORS, Limits, Memory
from web import request_id


@dataclass
class Listener:
    """What all sessions share; `sessions` are those that have a place, oldest first."""

    handler: Handler
    host: str
    tls: ssl.SSLContext
    limits: Limits
    memory: Memory = field(default_factory=Memory)
    sessions: dict["Session", None] = field(default_factory=dict)
    _clients: Counter[str] = field(default_factory=Counter)

    def connection(self) -> ClientConnection:
        """Return the protocol of a new connection, for loop.create_server."""
        return ClientConnection(lambda connection: Session(self, connection).run())

    def tls_connection(self) -> ClientConnection:
        """The same, with TLS from the start (RFC 8314)."""
        return ClientConnection(lambda connection: Session(self, connection).run(starts_tls=True), self.tls)

    def enter(self, session: "Session") -> str:
        """Give a session a place; return the setting that leaves none, or ""."""
        client = client_of(session.peer_ip)
        if self._clients[client] >= self.limits.connections_per_ip:
            return "SUBMISSION_MAX_CONNECTIONS_PER_IP"
        if len(self.sessions) >= self.limits.connections and not self._make_room():
            return "SUBMISSION_MAX_CONNECTIONS"
        self._clients[client] += 1
        self.sessions[session] = None
        return ""

    def leave(self, session: "Session") -> None:
        if session in self.sessions:
            del self.sessions[session]
            self._clients -= Counter([client_of(session.peer_ip)])

    def _make_room(self) -> bool:
        """End the oldest session without a login.

        Otherwise some dozens of addresses with idle connections could block everyone else.
        """
        session = next((session for session in self.sessions if not session.login), None)
        if session is None:
            return False
        log.logger.warning("SESSION peer=%s outcome=made_way", session.peer_ip)
        self.leave(session)
        session.drop(replies.TOO_MANY_CONNECTIONS)
        return True


class Session:
    """A client's session, from the greeting to its end."""

    def __init__(self, listener: Listener, connection: ClientConnection):
        self.listener, self.connection = listener, connection
        self.handler, self.limits = listener.handler, listener.limits
        self.peer_ip = connection.peer_ip
        self.hello_name, self.is_extended = "", False
        self.login: LoggedIn | None = None
        self.envelope = Envelope()
        self.errors = self.login_tries = 0
        self._is_busy = self._is_stopping = False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._login_ends_at = self._loop.time() + self.limits.login_seconds

    async def run(self, *, starts_tls: bool = False) -> None:
        request_id.begin("session")  # in the context of this task, so that every log line of the session has it
        if not self.peer_ip:
            return self.connection.abort()
        if setting := self.listener.enter(self):
            log.logger.warning("CONNECT peer=%s outcome=too_many limit=%s", self.peer_ip, setting)
            return self.drop(replies.TOO_MANY_CONNECTIONS)
        try:
            if starts_tls and not await self.secure(self.connection.handshake()):
                return
            await self.reply(replies.GREETING.format(host=self.listener.host))
            while not self.connection.is_closing:
                await self._next_command()
                await asyncio.sleep(0)  # thousands of pipelined commands must not delay other clients
        except Exception as error:
            log.crash("A session", error)
        finally:
            self._leave()

    async def secure(self, handshake: Awaitable[None]) -> bool:
        """Wait for a TLS handshake; False if it failed, which ends the session."""
        self.restart_timer()
        try:
            await handshake
        except ssl.SSLError as error:
            reason = log.printable(error.reason or "")
            log.logger.info("CONNECT peer=%s outcome=tls_handshake_failed reason=%s", self.peer_ip, reason)
            return False
        return True

    def stop(self) -> None:
        """End the session after its current command."""
        self._is_stopping = True
        if not self._is_busy:
            self.drop(replies.SHUTTING_DOWN)

    def drop(self, reply: str) -> None:
        """Send a last reply and end the session; the client can't delay that."""
        self.connection.close(reply.encode() + b"\r\n")

    async def reply(self, reply: str) -> None:
        # A client with more recipients sends them in other transactions (RFC 5321 section 4.5.3.1.10).
        if reply.startswith(("4", "5")) and reply != replies.TOO_MANY_RECIPIENTS:
            self.errors += 1
            if self.errors >= MAX_ERRORS and not reply.startswith("421"):
                log.logger.warning("SESSION peer=%s outcome=too_many_errors", self.peer_ip)
                reply = replies.TOO_MANY_ERRORS
        if reply.startswith(("221", "421")):
            self.drop(reply)
        else:
            await self.connection.write(reply.encode() + b"\r\n")

    async def ask(self, challenge: bytes) -> bytes:
        """Send a SASL challenge, return the decoded response. Raises sasl.BadExchange, lines.BadLine."""
        await self.reply("334 " + base64.b64encode(challenge).decode())
        try:
            line = await lines.read(self.connection)
        except lines.BadLine as bad:
            if bad.reply == replies.LINE_TOO_LONG:
                raise sasl.BadExchange(sasl.Problem.LINE_TOO_LONG) from None
            raise
        return sasl.decode(line)

    def restart_timer(self, seconds: float | None = None) -> None:
        """End the session after these seconds, or when the time for a login is over."""
        if self._timer:
            self._timer.cancel()
        ends_at = self._loop.time() + (seconds or self.limits.command_seconds)
        if not self.login:
            ends_at = min(ends_at, self._login_ends_at)
        self._timer = self._loop.call_at(ends_at, self.drop, replies.TIMED_OUT)

    async def _next_command(self) -> None:
        self.restart_timer()
        try:
            line = await lines.read(self.connection)
            self._is_busy = True
            reply = await self._obey(line)
        except lines.BadLine as bad:
            reply = bad.reply
            if bad.is_open:
                log.logger.warning("SESSION peer=%s outcome=bare_lf", self.peer_ip)
                return self.drop(reply)
        except Exception as error:
            log.crash("A session", error)
            reply = replies.INTERNAL_ERROR
        if reply:
            await self.reply(reply)
        self._is_busy = False
        if self._is_stopping:
            self.drop(replies.SHUTTING_DOWN)

    async def _obey(self, line: bytes) -> str | None:
        verb, _, rest = line.partition(b" ")
        try:
            name = verb.decode("ascii").upper()
            # Some computers send their name in Latin-1; it is only logged and put into Received.
            argument = rest.decode(errors="replace" if name in ("EHLO", "HELO") else "strict").strip(" \t")
        except UnicodeDecodeError:
            return replies.BAD_ARGUMENT
        self.restart_timer()
        return await commands.obey(self, name, argument)

    def _leave(self) -> None:
        self.listener.leave(self)
        if self._timer:
            self._timer.cancel()
        if not self.connection.is_closing:
            self.connection.abort()
