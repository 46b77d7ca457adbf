"""What needs the database or the next hop: is this login right, may this message go, where to."""

import asyncio

from credentials.outcome import Outcome
from submission import log
from submission.delivery import message
from submission.delivery.next_hop import NextHop, NotDelivered, Rejected
from submission.ip import client_of
from submission.listener import replies, sasl
from submission.listener.authentication import Logins
from submission.listener.throttle import Guesses
from submission.policy import addresses, sender
from web.workers import UNAVAILABLE, Workers


class Handler:
    """The decisions of all sessions. Each method returns the reply."""

    def __init__(self, logins: Logins, next_hop: NextHop, host: str, guesses: Guesses):
        self._logins, self._next_hop, self._host, self._guesses = logins, next_hop, host, guesses
        # Judging reads the whole message; the loop would stand still in the meantime.
        self._judges = Workers("judges", threads=2, waiting=500)

    async def log_in(self, session, login: sasl.Login) -> str:
        """Judge a login; the session has it once it is accepted."""
        client = client_of(session.peer_ip)
        if not self._guesses.take(client, *login):
            log.login(login.username, session.peer_ip, "too_many")
            return replies.TOO_MANY_GUESSES
        try:
            outcome, logged_in = await self._logins.judge(login, session.peer_ip)
        except UNAVAILABLE as error:
            self._guesses.unknown(client, *login)
            log.login(login.username, session.peer_ip, f"unavailable:{type(error).__name__}")
            return replies.LOGIN_UNAVAILABLE
        log.login(login.username, session.peer_ip, outcome.name.lower())
        if outcome is Outcome.ACCEPTED:
            self._guesses.right(client, login.username)
            session.login = logged_in
        else:
            # Whatever the cause, so that the time reveals none.
            await asyncio.sleep(self._guesses.wrong(client, *login))
        return replies.OUTCOMES[outcome]

    async def accept_sender(self, session, mailbox: str) -> str:
        """Ask again whether the credential is good, then judge the sender."""
        domain = session.login.domain
        if refusal := await self._refuse_login(session, replies.BAD_LOGIN):
            return refusal
        if sender.judge_sender(mailbox, domain):
            return replies.WRONG_SENDER
        session.envelope.sender = str(addresses.parse_mailbox(mailbox))
        return replies.SENDER_OK

    async def accept_message(self, session) -> str:
        """Judge the message and hand it on; 250 only once the next hop or the disk has all of it."""
        login, envelope = session.login, session.envelope
        size = len(envelope.content)
        try:
            refusal = await self._judges.run(sender.judge_message, envelope.content, login.domain)
        except UNAVAILABLE:
            return replies.INTERNAL_ERROR
        if refusal:
            reply, cause = replies.REFUSALS[refusal], refusal.name.lower()
            return self._log_message(session, login, reply, size=size, cause=cause)
        trace = message.Trace(session.hello_name, session.peer_ip, self._host, envelope.smtp_utf8)
        finished = message.finish(envelope, trace, login.domain)
        # As late as can be: a credential deleted while the message came in keeps nothing.
        refused = await self._refuse_login(session, replies.NO_LONGER_VALID)
        reply = refused or await self._hand_on(finished)
        if reply.startswith("250"):
            self._logins.note_message(login, session.hello_name, envelope.sender)
        return self._log_message(session, login, reply, message_id=finished.id, size=size)

    def refuse_message(self, session, reply: str) -> str:
        """Log a message that was refused while it came in."""
        return self._log_message(session, session.login, reply, cause=replies.NOT_TAKEN[reply])

    def close(self) -> None:
        self._judges.close()
        self._logins.close()
        self._next_hop.close()

    async def _refuse_login(self, session, reply: str) -> str | None:
        """Return the reply, and end the login, when it is no longer valid."""
        login = session.login
        try:
            if await self._logins.still_valid(login):
                return None
        except UNAVAILABLE as error:
            log.log.warning("The database can't be asked: %s", type(error).__name__)
            return replies.INTERNAL_ERROR
        log.login(login.username, session.peer_ip, "revoked")
        session.forget_login()
        return reply

    async def _hand_on(self, finished: message.Message) -> str:
        try:
            await self._next_hop.deliver(finished)
        except NotDelivered as failure:
            outcome = "rejected by the next hop" if isinstance(failure, Rejected) else "not handed on"
            log.log.warning("MESSAGE id=%s %s: %s", finished.id, outcome, failure)
            return replies.NOT_DELIVERED[failure.reason].format(code=failure.code)
        return replies.ACCEPTED_MESSAGE.format(id=finished.id)

    def _log_message(self, session, login, reply: str, *, message_id="-", size=0, cause="-") -> str:
        log.log.info(
            "MESSAGE id=%s username=%s peer=%s sender=%s recipients=%d bytes=%d cause=%s reply=%s",
            message_id,
            login.username,
            session.peer_ip,
            log.printable(session.envelope.sender, 320),
            len(session.envelope.recipients),
            size,
            cause,
            reply[:9],
        )
        return reply
