"""One connection: its life, its loop of commands, its limits.

aiosmtpd's own loop is replaced: it takes 5 bogus commands and 200 logins, repeats what
the client sent, tells exceptions, and logs each line.
"""

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import dataclass, field

from aiosmtpd.smtp import ALLOWED_BEFORE_STARTTLS, TLSSetupException

from submission import log
from submission.ip import plain_ip
from submission.listener import lines, replies
from submission.listener.commands import Commands
from submission.listener.handler import Handler
from submission.listener.limits import LINGER_SECONDS, MAX_ERRORS, Connections, Limits, Memory
from web import request_id

HELLO = {"EHLO", "HELO"}


@dataclass
class Shared:
    """What all connections of a listener share."""

    handler: Handler
    host: str
    tls: ssl.SSLContext
    limits: Limits
    connections: Connections = field(init=False)
    memory: Memory = field(default_factory=Memory)
    sessions: set["Submission"] = field(default_factory=set)
    # Those without a login, the first that came first; that one of them logged in is seen when it is its turn.
    strangers: OrderedDict["Submission", None] = field(default_factory=OrderedDict)

    def __post_init__(self):
        limits = self.limits
        self.connections = Connections(limits.connections, limits.connections_per_ip, self._make_room)

    def _make_room(self) -> bool:
        """End the connection that has been here longest without a login.

        Else some dozens of addresses, with idle connections, would keep everybody out.
        """
        while self.strangers:
            session, _ = self.strangers.popitem(last=False)
            if not session.session.authenticated:
                session.make_way()
                return True
        return False


class Submission(Commands):
    """A client's connection, from its greeting to its end."""

    def __init__(self, shared: Shared):
        self.shared, self.limits, self.memory = shared, shared.limits, shared.memory
        self.peer_ip = "-"
        self.errors = self.login_tries = 0
        self._counted = self._has_place = self._busy = self._stopping = self._dropped = False
        self._login_timer: asyncio.TimerHandle | None = None
        super().__init__(
            shared.handler,
            hostname=shared.host,
            tls_context=shared.tls,
            enable_SMTPUTF8=True,
            timeout=self.limits.command_seconds,
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport):
        if self._original_transport is not None:
            return super().connection_made(transport)  # the same connection, now in TLS
        peer = transport.get_extra_info("peername")
        if not peer:
            return transport.abort()
        self.peer_ip = plain_ip(peer[0])
        if not self.shared.connections.enter(self.peer_ip):
            log.log.warning("CONNECT peer=%s outcome=too_many", self.peer_ip)
            transport.write(replies.TOO_MANY_CONNECTIONS.encode() + b"\r\n")
            return transport.close()
        self._counted = self._has_place = True
        self.shared.sessions.add(self)
        super().connection_made(transport)
        self.shared.strangers[self] = None
        self._handler_coroutine.add_done_callback(self._leave)
        self._wait_for_login()

    def connection_lost(self, error):
        if self._counted:
            super().connection_lost(error)

    def forget_login(self):
        """Take the session back to where AUTH is needed."""
        self.session.authenticated, self.session.auth_data = False, None
        self.shared.strangers[self] = None
        self._wait_for_login()

    def make_way(self):
        """Give its place to another connection."""
        log.log.warning("SESSION peer=%s outcome=made_way", self.peer_ip)
        self._give_up_place()
        self.drop(replies.TOO_MANY_CONNECTIONS)

    def stop(self):
        """End the session after the command it is in."""
        self._stopping = True
        if not self._busy:
            self.drop(replies.SHUTTING_DOWN)

    def drop(self, reply: str):
        """Send a last reply and end the session now; the client can't delay it."""
        if self._dropped or self.transport is None:
            return
        self._dropped = True
        in_handshake = self._tls_protocol and self.session.ssl is None
        if not in_handshake:
            self._writer.write(reply.encode() + b"\r\n")
        self.transport.close()
        self.loop.call_later(LINGER_SECONDS, self._abort)

    async def push(self, status):
        if status.startswith(("4", "5")):
            self.errors += 1
            if self.errors >= MAX_ERRORS and not status.startswith("421"):
                log.log.warning("SESSION peer=%s outcome=too_many_errors", self.peer_ip)
                status = replies.TOO_MANY_ERRORS
        if status.startswith("421"):
            self.drop(status)
        else:
            await super().push(status)

    async def smtp_QUIT(self, argument):
        self.drop(replies.BYE)

    async def _handle_client(self):
        request_id.begin("session")  # this task's, so that each line of its log carries it
        try:
            await self.push(f"220 {self.hostname} ESMTP")
            while not self._is_over():
                await self._next_command()
                await asyncio.sleep(0)  # who sends thousands of commands at once keeps nobody else waiting
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away
        except Exception as error:
            log.crash("A session", error)

    async def _next_command(self):
        try:
            line = await lines.read(self._reader)
            self._busy = True
            await self._obey(line)
        except lines.BadLine as bad:
            await self._refuse_line(bad)
        except TLSSetupException:
            log.log.info("CONNECT peer=%s outcome=tls_handshake_failed", self.peer_ip)
            self._abort()
        except (ConnectionError, asyncio.IncompleteReadError):
            raise
        except Exception as error:
            await self.push(await self.event_handler.handle_exception(error))
        finally:
            self._busy = False
        if self._stopping:
            self.drop(replies.SHUTTING_DOWN)

    async def _refuse_line(self, bad: lines.BadLine):
        if not bad.is_open:
            return await self.push(bad.reply)
        log.log.warning("SESSION peer=%s outcome=bare_lf", self.peer_ip)
        self.drop(bad.reply)

    async def _obey(self, line: bytes):
        verb, _, rest = line.partition(b" ")
        try:
            command = verb.decode("ascii").upper()
            # A name is only noted: many a computer says its own in Latin-1.
            argument = rest.decode(errors="replace" if command in HELLO else "strict").strip(" \t")
        except UnicodeDecodeError:
            return await self.push(replies.BAD_ARGUMENT)
        if not self._tls_protocol and command not in ALLOWED_BEFORE_STARTTLS:
            return await self.push(replies.TLS_FIRST)
        method = self._smtp_methods.get(command)
        if method is None:
            return await self.push(replies.UNKNOWN_COMMAND)
        self._reset_timeout()
        await method(argument or None)
        self._reset_timeout()

    def _is_over(self) -> bool:
        return self.transport is None or self.transport.is_closing()

    def _timeout_cb(self):
        self.drop(replies.TIMED_OUT)

    def _wait_for_login(self):
        if self._login_timer:
            self._login_timer.cancel()
        self._login_timer = self.loop.call_later(self.limits.login_seconds, self._login_overdue)

    def _login_overdue(self):
        if not self.session.authenticated:
            self.drop(replies.TIMED_OUT)

    def _abort(self):
        self._handler_coroutine.cancel()
        for transport in (self.transport, self._original_transport):
            if transport is not None:
                transport.abort()

    def _give_up_place(self):
        if self._has_place:
            self._has_place = False
            self.shared.connections.leave(self.peer_ip)

    def _leave(self, _task):
        self._give_up_place()
        self.shared.sessions.discard(self)
        self.shared.strangers.pop(self, None)
        self._login_timer.cancel()
        self._timeout_handle.cancel()
        if not self._dropped:
            self._abort()
