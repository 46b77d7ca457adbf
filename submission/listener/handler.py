"""Decisions that need the database or the next hop: logins, senders, messages."""

import asyncio

from credentials.outcome import Outcome
from submission import log
from submission.delivery import message
from submission.delivery.next_hop import NextHop, NotDelivered, Rejected
from submission.ip import client_of
from submission.listener import normal_form, replies, sasl
from submission.listener.authentication import Logins
from submission.listener.throttle import Guesses
from submission.policy import addresses, sender
from web.workers import UNAVAILABLE, Workers


class Handler:
    """Decides for all sessions. Each public method returns the reply."""

    def __init__(self, logins: Logins, next_hop: NextHop, host: str, guesses: Guesses):
        self._logins, self._next_hop, self._host, self._guesses = logins, next_hop, host, guesses
        # In threads, because judging a big message would block the loop.
        self._judges = Workers("judges", threads=2, waiting=500)

    async def log_in(self, session, login: sasl.LoginAttempt) -> str:
        """Judge a login, and give it to the session if it is accepted."""
        client = client_of(session.peer_ip)
        if not self._guesses.admit(client, *login):
            log.login(login.username, session.peer_ip, "too_many")
            return replies.TOO_MANY_GUESSES
        try:
            outcome, logged_in = await self._logins.judge(login, session.peer_ip)
        except UNAVAILABLE as error:
            self._guesses.withdraw(client, *login)
            log.login(login.username, session.peer_ip, f"unavailable:{type(error).__name__}")
            return replies.LOGIN_UNAVAILABLE
        log.login(login.username, session.peer_ip, outcome.name.lower())
        if outcome is Outcome.ACCEPTED:
            self._guesses.record_success(client, login.username)
            session.login = logged_in
        else:
            # For every cause, so that the time reveals none.
            await asyncio.sleep(self._guesses.record_refusal(client, *login))
        return replies.LOGIN_REPLIES[outcome]

    async def accept_sender(self, session, mailbox: str) -> str:
        """Check the login again, then judge the sender."""
        domain = session.login.domain
        if refusal := await self._refuse_login(session):
            return refusal
        if sender.judge_sender(mailbox, domain):
            return replies.WRONG_SENDER
        session.envelope.sender = str(addresses.parse_mailbox(mailbox)) if mailbox else ""
        return replies.SENDER_OK

    async def accept_message(self, session) -> str:
        """Judge the message and deliver it; 250 only after the next hop or the disk has all of it."""
        login, envelope = session.login, session.envelope
        size = len(envelope.content)
        try:
            refusal = await self._judges.run(_mend_and_judge, envelope, login.domain)
        except UNAVAILABLE:
            return replies.INTERNAL_ERROR
        if refusal:
            reply, cause = replies.MESSAGE_REPLIES[refusal], refusal.name.lower()
            return self._log_message(session, login, reply, size=size, cause=cause)
        origin = message.Origin(session.hello_name, session.peer_ip, self._host)
        prepared = message.prepare(envelope, origin, login.domain)
        # As late as possible, for a credential that was deleted while the message was received.
        refused = await self._refuse_login(session)
        reply = refused or await self._deliver(prepared)
        if reply.startswith("250"):
            self._logins.note_message(login, session.hello_name, envelope.sender)
        return self._log_message(session, login, reply, message_id=prepared.id, size=size)

    def refuse_message(self, session, reply: str) -> str:
        """Log a message that was refused while it was received."""
        return self._log_message(session, session.login, reply, cause=replies.REFUSED_CAUSES[reply])

    def close(self) -> None:
        self._judges.close()
        self._logins.close()
        self._next_hop.close()

    async def _refuse_login(self, session) -> str | None:
        """Return a reply that ends the session if its login is no longer valid, otherwise None."""
        login = session.login
        try:
            if await self._logins.still_valid(login):
                return None
        except UNAVAILABLE as error:
            log.logger.warning("The database is unavailable: %s", type(error).__name__)
            return replies.INTERNAL_ERROR
        log.login(login.username, session.peer_ip, "revoked")
        return replies.NO_LONGER_VALID

    async def _deliver(self, prepared: message.Message) -> str:
        try:
            await self._next_hop.deliver(prepared)
        except NotDelivered as failure:
            outcome = "rejected by the next hop" if isinstance(failure, Rejected) else "not delivered"
            log.logger.warning("MESSAGE id=%s %s: %s", prepared.id, outcome, failure)
            return replies.delivery_failed(failure)
        return replies.ACCEPTED_MESSAGE.format(id=prepared.id)

    def _log_message(self, session, login, reply: str, *, message_id="-", size=0, cause="-") -> str:
        log.logger.info(
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


def _mend_and_judge(envelope: message.Envelope, domain: str) -> sender.Refusal | None:
    normal_form.mend_header(envelope.content, envelope.sender or "")
    return sender.judge_message(envelope.content, domain)
