"""The commands of a submission session (RFC 5321, 6409): order, syntax and limits.

What they decide needs no database; that is the handler's. aiosmtpd's own versions are
replaced where they answer without enhanced codes, hold a message as one object a line,
or repeat what the client sent.
"""

import asyncio
import base64

from aiosmtpd.smtp import SMTP

from submission import log
from submission.listener import data_reader, lines, replies, sasl
from submission.listener.limits import ANSWER_SECONDS, DATA_SECONDS, LOGIN_TRIES, MAX_HELLO_NAME, MAX_RECIPIENTS
from submission.policy import addresses

MAIL_PARAMETERS = {"SIZE", "BODY", "SMTPUTF8", "AUTH"}


class Commands(SMTP):
    """The smtp_* methods; a subclass brings the loop, and `limits`, `memory`, `login_tries`, `errors`."""

    async def smtp_HELO(self, name):
        await self._hello(name, extended=False)

    async def smtp_EHLO(self, name):
        await self._hello(name, extended=True)

    async def _hello(self, name, extended):
        if not name or len(name) > MAX_HELLO_NAME or not name.isprintable():
            return await self.push(replies.BAD_ARGUMENT)
        self._set_rset_state()
        self.session.extended_smtp = extended
        self.session.host_name = log.printable(name, MAX_HELLO_NAME)
        lines = [self.hostname]
        if extended:
            lines += [f"SIZE {self.limits.message_size}", "PIPELINING", "8BITMIME", "SMTPUTF8"]
            lines.append("AUTH LOGIN PLAIN" if self._tls_protocol else "STARTTLS")
        last = lines.pop()
        await self.push("".join(f"250-{line}\r\n" for line in lines) + f"250 {last}")

    async def smtp_STARTTLS(self, argument):
        if self._tls_protocol or argument:
            return await self.push(replies.TLS_ALREADY if self._tls_protocol else replies.BAD_ARGUMENT)
        await super().smtp_STARTTLS(None)

    async def smtp_AUTH(self, argument):
        await self.push(self._auth_out_of_order() or await self._auth(argument))

    def _auth_out_of_order(self) -> str | None:
        if not self.session.host_name:
            return replies.HELLO_FIRST
        if self.session.authenticated:
            return replies.LOGGED_IN_ALREADY
        self.login_tries += 1
        return replies.TOO_MANY_LOGINS if self.login_tries > LOGIN_TRIES else None

    async def _auth(self, argument) -> str:
        """After HELO, too: printers and scanners say that."""
        words = (argument or "").split()
        if not 1 <= len(words) <= 2:
            return replies.BAD_ARGUMENT
        mechanism, *response = words
        known = self._auth_methods.get(mechanism.upper())
        if known is None:
            return replies.UNKNOWN_MECHANISM
        result = await known.method(self, [mechanism.upper(), *response])
        if result.success:
            self.session.authenticated, self.session.auth_data = True, result.auth_data
        return result.message

    async def ask(self, challenge: bytes) -> bytes:
        """Send a SASL challenge, return the decoded response. Raises sasl.Broken, lines.BadLine."""
        await self.push("334 " + base64.b64encode(challenge).decode())
        try:
            line = await lines.read(self._reader)
        except lines.BadLine as bad:
            if bad.reply == replies.LINE_TOO_LONG:
                raise sasl.Broken(sasl.Fault.LINE_TOO_LONG) from None
            raise
        return sasl.decode(line)

    async def smtp_MAIL(self, argument):
        await self.push(self._out_of_order() or await self._mail(argument))

    async def _mail(self, argument) -> str:
        if self.envelope.mail_from is not None:
            return replies.NESTED_MAIL
        try:
            mailbox, parameters = addresses.parse_argument("FROM:", argument)
        except addresses.BadAddress:
            return replies.WRONG_SENDER
        except addresses.BadSyntax:
            return replies.BAD_ARGUMENT
        if refusal := self._judge_parameters(mailbox, parameters):
            return refusal
        self.envelope.smtp_utf8 = "SMTPUTF8" in parameters
        return await self.event_handler.handle_MAIL(self, self.session, self.envelope, mailbox, [])

    def _judge_parameters(self, mailbox, parameters) -> str | None:
        if not set(parameters) <= MAIL_PARAMETERS or (parameters and not self.session.extended_smtp):
            return replies.UNKNOWN_PARAMETER
        size, body = parameters.get("SIZE", "0"), parameters.get("BODY", "7BIT")
        if not (size and size.isascii() and size.isdigit() and len(size) <= 20):
            return replies.BAD_ARGUMENT
        if (body or "").upper() not in ("7BIT", "8BITMIME") or parameters.get("SMTPUTF8"):
            return replies.BAD_ARGUMENT
        if int(size) > self.limits.message_size:
            return replies.TOO_BIG
        if "SMTPUTF8" not in parameters and not mailbox.rpartition("@")[0].isascii():
            return replies.UTF8_NOT_ASKED
        return None

    async def smtp_RCPT(self, argument):
        await self.push(self._out_of_order() or self._rcpt(argument))

    def _rcpt(self, argument) -> str:
        if self.envelope.mail_from is None:
            return replies.MAIL_FIRST
        try:
            mailbox, parameters = addresses.parse_argument("TO:", argument)
            address = addresses.parse_mailbox(mailbox)
        except addresses.BadAddress:
            return replies.BAD_RECIPIENT
        except addresses.BadSyntax:
            return replies.BAD_ARGUMENT
        if parameters:
            return replies.UNKNOWN_PARAMETER
        if not self.envelope.smtp_utf8 and not address.local.isascii():
            return replies.UTF8_NOT_ASKED
        if len(self.envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return replies.TOO_MANY_RECIPIENTS
        self.envelope.rcpt_tos.append(str(address))
        return replies.RECIPIENT_OK

    async def smtp_DATA(self, argument):
        if refusal := self._out_of_order() or self._data_out_of_order(argument):
            return await self.push(refusal)
        await self.push(replies.START_DATA)
        message = data_reader.Message(self.limits.message_size, self.memory)
        try:
            async with asyncio.timeout(DATA_SECONDS):
                await message.read(self._reader, self._reset_timeout)
            self._reset_timeout(ANSWER_SECONDS)
            self.envelope.content = message.content
            reply = await self._answer(message.refusal)
        except TimeoutError:
            reply = replies.TIMED_OUT
        finally:
            self._set_post_data_state()
            message.release()
        if reply.startswith("250"):
            self.errors = 0
        if message.is_open:
            return self.drop(reply)
        await self.push(reply)

    async def _answer(self, refusal: str | None) -> str:
        state = self, self.session, self.envelope
        if refusal:
            return self.event_handler.tell_not_taken(*state, refusal)
        return await self.event_handler.handle_DATA(*state)

    def _data_out_of_order(self, argument) -> str | None:
        if argument:
            return replies.BAD_ARGUMENT
        return None if self.envelope.rcpt_tos else replies.RECIPIENT_FIRST

    def _out_of_order(self) -> str | None:
        if not self.session.host_name:
            return replies.HELLO_FIRST
        return None if self.session.authenticated else replies.LOGIN_FIRST

    async def smtp_RSET(self, argument):
        self._set_rset_state()
        await self.push(replies.OK)

    async def smtp_NOOP(self, argument):
        await self.push(replies.OK)

    async def smtp_VRFY(self, argument):
        await self.push(replies.NOT_IMPLEMENTED)

    smtp_EXPN = smtp_HELP = smtp_ETRN = smtp_TURN = smtp_VRFY
