"""Holds the From and Sender of each message that Postfix takes to the domain of its credential.

Postfix has already held MAIL FROM to it (smtpd_sender_login_maps), so its domain is what the header is judged
by, with the listener's rules (submission.policy) and replies: no message but one with the null sender costs a
query. Whatever can't be judged is refused for now, with 451.
"""

import asyncio

from credentials.models import Credential
from submission import log
from submission.listener import replies
from submission.milter import packets
from submission.policy import sender
from submission.policy.addresses import BadAddress, domain_name
from submission.policy.headers import Field
from submission.reports.connection import BoundedConnection
from web.workers import UNAVAILABLE, Workers

# Macros, as they are negotiated in packets.
USERNAME, MAIL_FROM, QUEUE_ID = b"{auth_authen}", b"{mail_addr}", b"i"


class Filter:
    """Makes a protocol for each connection."""

    def __init__(self):
        self.connections: set[MilterConnection] = set()
        self.workers = Workers("senders", threads=2, waiting=100)

    def __call__(self) -> "MilterConnection":
        return MilterConnection(self)

    async def end(self, seconds: float) -> None:
        """Wait so long for the messages that are being sent, then close all connections."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while any(connection.is_busy for connection in self.connections) and loop.time() < deadline:
            await asyncio.sleep(0.05)
        for connection in list(self.connections):
            connection.transport.close()
        self.workers.close()

    async def domain_of(self, username: str) -> str | None:
        """The domain that a SASL username may send for now, None without one. Raises one of UNAVAILABLE."""
        return await self.workers.run(Credential.objects.domain_of_session, username)


class Message:
    """One message: its macros, and the fields by which it's judged."""

    def __init__(self, macros: dict[bytes, bytes]):
        self._macros = macros  # more come until the end of the header
        self._fields: list[Field] = []

    def macro(self, name: bytes) -> str:
        return self._macros.get(name, b"").decode(errors="replace")

    def add(self, name: bytes, value: bytes) -> None:
        lower = name.decode(errors="replace").lower()
        # One too many is enough to refuse it.
        if lower in sender.SENDER_FIELDS and len(self._fields) <= sender.MAX_SENDER_FIELDS:
            self._fields.append(Field(lower, name + b": " + value.replace(b"\n", b"\r\n") + b"\r\n"))

    def judge(self, domain: str) -> sender.Refusal | None:
        return sender.judge_fields(self._fields, domain)


class MilterConnection(BoundedConnection):
    """One connection of an smtpd: the messages of an SMTP session, one after the other."""

    most = 2000

    def __init__(self, judge: Filter):
        super().__init__(judge.connections)
        self._filter, self._packets = judge, packets.Packets()
        self._waiting: asyncio.Task | None = None
        self._forget()

    @property
    def is_busy(self) -> bool:
        return self._message is not None or bool(self._waiting and not self._waiting.done())

    def _forget(self) -> None:
        self._macros: dict[bytes, bytes] = {}
        self._message: Message | None = None

    def data_received(self, data: bytes):
        try:
            for command, content in self._packets.feed(data):
                self._obey(command, content)
        except packets.BadPacket:
            log.logger.error("A mail server does not speak version 6 of the milter protocol as Postfix does")
            self.transport.abort()

    def _obey(self, command: bytes, content: bytes) -> None:
        """Carry out a command. Raises packets.BadPacket."""
        if command == packets.MACROS:
            self._macros |= packets.macros_of(content)
        elif command == packets.MAIL:
            self._message = Message(self._macros)
        elif command == packets.HEADER and self._message:
            self._message.add(*packets.header_of(content))
        elif command in (packets.END_OF_HEADER, packets.END_OF_MESSAGE):
            self._decide(self._message or Message({}))
            self._forget()
        elif command in (packets.ABORT, packets.NEXT_CONNECTION):
            self._forget()
        elif command == packets.QUIT:
            self.transport.close()
        elif command == packets.NEGOTIATE:
            self.transport.write(packets.negotiated(content))
        elif command in packets.UNJUDGED:
            self.transport.write(packets.packet(packets.CONTINUE))
        else:
            raise packets.BadPacket

    def _decide(self, message: Message) -> None:
        mail_from = message.macro(MAIL_FROM)
        if not message.macro(USERNAME):
            log.logger.error("A message without a login was refused: smtpd_milters is set for another port too")
            self._refuse(message, "no_login", replies.INTERNAL_ERROR)
        elif mail_from:
            self._judge(message, mail_from.rpartition("@")[2])
        else:
            self._waiting = asyncio.ensure_future(self._look_up(message))

    async def _look_up(self, message: Message) -> None:
        """Judge a message with the null sender, which says nothing of a domain."""
        try:
            domain = await self._filter.domain_of(message.macro(USERNAME))
        except UNAVAILABLE as error:
            log.logger.warning("The database is unavailable: %s", type(error).__name__)
            return self._refuse(message, "unavailable", replies.INTERNAL_ERROR)
        if domain is None:
            return self._refuse(message, "revoked", replies.NO_LONGER_VALID)
        self._judge(message, domain)

    def _judge(self, message: Message, domain: str) -> None:
        try:
            refusal = message.judge(domain_name(domain))
        except BadAddress:
            refusal = sender.Refusal.FOREIGN_SENDER
        if refusal:
            return self._refuse(message, refusal.name.lower(), replies.MESSAGE_REPLIES[refusal])
        self.transport.write(packets.packet(packets.ACCEPT))

    def _refuse(self, message: Message, cause: str, reply: str) -> None:
        log.logger.info(
            "MESSAGE id=%s username=%s sender=%s cause=%s reply=%s",
            log.printable(message.macro(QUEUE_ID)),
            log.printable(message.macro(USERNAME).partition(".")[0]),
            log.printable(message.macro(MAIL_FROM), 320),
            cause,
            reply[:9],
        )
        self.transport.write(packets.reply(reply))
