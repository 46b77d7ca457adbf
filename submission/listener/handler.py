"""What needs the database or the next hop: is this login right, may this message go, where to."""

import asyncio

from aiosmtpd.smtp import AuthResult

from credentials.outcome import Outcome
from submission import log
from submission.delivery import message
from submission.delivery.next_hop import NextHop, NotDelivered, Rejected
from submission.ip import client_of, plain_ip
from submission.listener import replies, sasl
from submission.listener.authentication import LoggedIn, Logins
from submission.listener.throttle import Guesses
from submission.policy import addresses, sender
from web.workers import UNAVAILABLE, Workers


class Handler:
    """aiosmtpd's handler, one for all sessions."""

    def __init__(self, logins: Logins, next_hop: NextHop, host: str, guesses: Guesses):
        self._logins, self._next_hop, self._host, self._guesses = logins, next_hop, host, guesses
        # Judging reads the whole message; the loop would stand still meanwhile.
        self._judges = Workers("judges", threads=2, waiting=500)

    async def auth_PLAIN(self, server, arguments) -> AuthResult:
        """AUTH PLAIN, RFC 4616, with or without an initial response."""
        try:
            response = sasl.decode(arguments[1].encode()) if len(arguments) == 2 else await server.ask(b"")
            login = sasl.plain(response)
        except sasl.Broken as broken:
            return self._broken(server, broken)
        return await self._judge(server, login)

    async def auth_LOGIN(self, server, arguments) -> AuthResult:
        """AUTH LOGIN, draft-murchison-sasl-login."""
        try:
            given = sasl.decode(arguments[1].encode()) if len(arguments) == 2 else None
            username = given if given is not None else await server.ask(b"Username:")
            login = sasl.login(username, await server.ask(b"Password:"))
        except sasl.Broken as broken:
            return self._broken(server, broken)
        return await self._judge(server, login)

    def _broken(self, server, broken) -> AuthResult:
        log.login("", server.peer_ip, broken.fault.name.lower())
        return AuthResult(success=False, handled=False, message=replies.FAULTS[broken.fault])

    async def _judge(self, server, login) -> AuthResult:
        client = client_of(server.peer_ip)
        if not self._guesses.take(client, *login):
            log.login(login.username, server.peer_ip, "too_many")
            return AuthResult(success=False, handled=False, message=replies.TOO_MANY_GUESSES)
        try:
            outcome, logged_in = await self._logins.judge(login, plain_ip(server.peer_ip))
        except UNAVAILABLE as error:
            self._guesses.unknown(client, *login)
            log.login(login.username, server.peer_ip, f"unavailable:{type(error).__name__}")
            return AuthResult(success=False, handled=False, message=replies.LOGIN_UNAVAILABLE)
        log.login(login.username, server.peer_ip, outcome.name.lower())
        if outcome is not Outcome.ACCEPTED:
            # Whatever the cause, so that the time tells none.
            await asyncio.sleep(self._guesses.wrong(client, *login))
            return AuthResult(success=False, handled=False, message=replies.OUTCOMES[outcome])
        self._guesses.right(client, login.username)
        return AuthResult(success=True, message=replies.OUTCOMES[outcome], auth_data=logged_in)

    async def handle_MAIL(self, server, session, envelope, mailbox: str, options) -> str:
        """Ask again whether the credential is good, then judge the sender."""
        login: LoggedIn = session.auth_data
        refusal = await self._refusal_of_login(server, login, replies.BAD_LOGIN)
        if refusal:
            return refusal
        if sender.judge_sender(mailbox, login.domain):
            return replies.WRONG_SENDER
        envelope.mail_from = str(addresses.parse_mailbox(mailbox))
        return replies.SENDER_OK

    async def handle_DATA(self, server, session, envelope) -> str:
        """Judge the message and hand it on; 250 only once the next hop or the disk has all of it."""
        login, size = session.auth_data, len(envelope.content)
        try:
            refusal = await self._judges.run(sender.judge_message, envelope.content, login.domain)
        except UNAVAILABLE:
            return replies.INTERNAL_ERROR
        if refusal:
            reply, cause = replies.REFUSALS[refusal], refusal.name.lower()
            return self._tell(login, server, envelope, size, "-", reply, cause)
        trace = message.Trace(session.host_name, server.peer_ip, self._host, envelope.smtp_utf8)
        finished = message.finish(envelope, trace, login.domain)
        # As late as can be: a credential deleted while the message came in keeps nothing.
        refusal = await self._refusal_of_login(server, login, replies.NO_LONGER_VALID)
        reply = refusal or await self._hand_on(finished)
        if reply.startswith("250"):
            self._logins.note_message(login, session.host_name, envelope.mail_from)
        return self._tell(login, server, envelope, size, finished.id, reply)

    def tell_not_taken(self, server, session, envelope, reply) -> str:
        """Log a message that was refused while it came in; return the reply."""
        cause = replies.NOT_TAKEN[reply]
        return self._tell(session.auth_data, server, envelope, 0, "-", reply, cause)

    async def handle_exception(self, error: Exception) -> str:
        """The reply to a crash. aiosmtpd's own would send the exception's text to the client."""
        log.crash("A session", error)
        return replies.INTERNAL_ERROR

    def close(self) -> None:
        self._judges.close()
        self._logins.close()
        self._next_hop.close()

    async def _refusal_of_login(self, server, login: LoggedIn, reply: str) -> str | None:
        try:
            if await self._logins.still_valid(login):
                return None
        except UNAVAILABLE as error:
            log.log.warning("The database can't be asked: %s", type(error).__name__)
            return replies.INTERNAL_ERROR
        log.login(login.username, server.peer_ip, "revoked")
        server.forget_login()
        return reply

    async def _hand_on(self, finished) -> str:
        try:
            await self._next_hop.deliver(finished)
        except NotDelivered as failure:
            outcome = "rejected by the next hop" if isinstance(failure, Rejected) else "not handed on"
            log.log.warning("MESSAGE id=%s %s: %s", finished.id, outcome, failure)
            return replies.NOT_DELIVERED[failure.reason].format(code=failure.code)
        return replies.ACCEPTED_MESSAGE.format(id=finished.id)

    def _tell(self, login, server, envelope, size, message_id, reply, cause="-") -> str:
        log.log.info(
            "MESSAGE id=%s username=%s peer=%s sender=%s recipients=%d bytes=%d cause=%s reply=%s",
            message_id,
            login.username,
            server.peer_ip,
            log.printable(envelope.mail_from, 320),
            len(envelope.rcpt_tos),
            size,
            cause,
            reply[:9],
        )
        return reply
