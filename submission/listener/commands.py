"""The commands of a submission session (RFC 5321, 6409): order, syntax and limits.

Each is a function of the session and its argument that returns the reply, or None if it has replied itself. The
handler decides what needs the database or the next hop.
"""

import asyncio
from functools import partial

from submission import log
from submission.delivery.message import Envelope
from submission.listener import data_reader, replies, sasl
from submission.listener.limits import (
    DATA_SECONDS,
    DELIVERY_SECONDS,
    LOGIN_TRIES,
    MAX_HELLO_NAME,
)
from submission.policy import addresses

MAIL_PARAMETERS = {"SIZE", "BODY", "SMTPUTF8", "AUTH"}
ALLOWED_BEFORE_TLS = {"EHLO", "STARTTLS", "NOOP", "QUIT"}
NEEDS_HELLO = {"AUTH", "MAIL", "RCPT", "DATA"}
NEEDS_LOGIN = {"MAIL", "RCPT", "DATA"}


async def obey(session, name: str, argument: str) -> str | None:
    """Carry out a command; return the reply."""
    if not session.connection.is_secure and name not in ALLOWED_BEFORE_TLS:
        return replies.TLS_FIRST
    if name in NEEDS_HELLO and not session.hello_name:
        return replies.HELLO_FIRST
    if name in NEEDS_LOGIN and not session.login:
        return replies.LOGIN_FAILED if session.login_tries else replies.LOGIN_FIRST
    if name in COMMANDS:
        return await COMMANDS[name](session, argument)
    return FIXED_REPLIES.get(name, replies.UNKNOWN_COMMAND)


async def helo(session, name: str, *, is_extended: bool = False) -> str:
    if not name:
        return replies.BAD_ARGUMENT
    session.envelope, session.is_extended = Envelope(), is_extended
    session.hello_name = log.printable(name, MAX_HELLO_NAME)
    lines = [session.listener.host]
    if is_extended:
        lines += [f"SIZE {session.limits.message_size}", "PIPELINING", "8BITMIME", "SMTPUTF8"]
        lines.append("AUTH LOGIN PLAIN" if session.connection.is_secure else "STARTTLS")
    last = lines.pop()
    return "".join(f"250-{line}\r\n" for line in lines) + f"250 {last}"


async def starttls(session, argument: str) -> str | None:
    if session.connection.is_secure:
        return replies.TLS_ALREADY
    if argument:
        return replies.BAD_ARGUMENT
    await session.reply(replies.START_TLS)
    await session.secure(session.connection.start_tls(session.listener.tls))
    session.envelope, session.hello_name = Envelope(), ""
    return None


async def auth(session, argument: str) -> str:
    """AUTH (RFC 4954), allowed after HELO as well, which printers and scanners use."""
    if session.login:
        return replies.LOGGED_IN_ALREADY
    session.login_tries += 1
    if session.login_tries > LOGIN_TRIES:
        return replies.TOO_MANY_LOGINS
    words = argument.split()
    if not 1 <= len(words) <= 2:
        return replies.BAD_ARGUMENT
    exchange = MECHANISMS.get(words[0].upper())
    if exchange is None:
        return replies.UNKNOWN_MECHANISM
    try:
        login = await exchange(session, *words[1:])
    except sasl.BadExchange as error:
        log.login("", session.peer_ip, error.problem.name.lower())
        return replies.AUTH_REPLIES[error.problem]
    return await session.handler.log_in(session, login)


async def _plain(session, response: str | None = None) -> sasl.LoginAttempt:
    """AUTH PLAIN, RFC 4616, with or without an initial response."""
    return sasl.plain(await session.ask(b"") if response is None else sasl.decode(response.encode()))


async def _login(session, response: str | None = None) -> sasl.LoginAttempt:
    """AUTH LOGIN, draft-murchison-sasl-login."""
    username = await session.ask(b"Username:") if response is None else sasl.decode(response.encode())
    return sasl.login(username, await session.ask(b"Password:"))


MECHANISMS = {"PLAIN": _plain, "LOGIN": _login}


async def mail(session, argument: str) -> str:
    if session.envelope.sender is not None:
        return replies.NESTED_MAIL
    try:
        mailbox, parameters = addresses.parse_argument("FROM:", argument)
        if mailbox:
            addresses.parse_mailbox(mailbox)
    except addresses.BadAddress:
        return replies.BAD_SENDER
    except addresses.BadSyntax:
        return replies.BAD_ARGUMENT
    if refusal := _judge_parameters(session, mailbox, parameters):
        return refusal
    session.envelope.smtp_utf8 = "SMTPUTF8" in parameters
    return await session.handler.accept_sender(session, mailbox)


def _judge_parameters(session, mailbox: str, parameters: dict[str, str | None]) -> str | None:
    if not set(parameters) <= MAIL_PARAMETERS or (parameters and not session.is_extended):
        return replies.UNKNOWN_PARAMETER
    size, body = parameters.get("SIZE", "0"), parameters.get("BODY", "7BIT")
    if not (size and size.isascii() and size.isdigit() and len(size) <= 20):
        return replies.BAD_ARGUMENT
    if (body or "").upper() not in ("7BIT", "8BITMIME") or parameters.get("SMTPUTF8"):
        return replies.BAD_ARGUMENT
    if int(size) > session.limits.message_size:
        return replies.TOO_BIG
    if "SMTPUTF8" not in parameters and not mailbox.rpartition("@")[0].isascii():
        return replies.UTF8_NOT_ASKED
    return None


async def rcpt(session, argument: str) -> str:
    envelope = session.envelope
    if envelope.sender is None:
        return replies.MAIL_FIRST
    try:
        mailbox, parameters = addresses.parse_argument("TO:", argument)
        address = addresses.parse_recipient(mailbox)
    except addresses.BadAddress:
        return replies.BAD_RECIPIENT
    except addresses.BadSyntax:
        return replies.BAD_ARGUMENT
    if parameters:
        return replies.UNKNOWN_PARAMETER
    if not envelope.smtp_utf8 and not address.local.isascii():
        return replies.UTF8_NOT_ASKED
    if len(envelope.recipients) >= session.limits.recipients:
        return replies.TOO_MANY_RECIPIENTS
    envelope.recipients.append(str(address))
    return replies.RECIPIENT_OK


async def data(session, argument: str) -> str | None:
    if argument:
        return replies.BAD_ARGUMENT
    if not session.envelope.recipients:
        return replies.RECIPIENT_FIRST
    await session.reply(replies.START_DATA)
    message = data_reader.IncomingMessage(session.limits.message_size, session.listener.memory)
    try:
        async with asyncio.timeout(DATA_SECONDS):
            await message.read(session.connection, session.restart_timer)
        session.restart_timer(DELIVERY_SECONDS)
        session.envelope.content = message.content
        reply = await _answer(session, message.refusal)
    except TimeoutError:
        reply = replies.TIMED_OUT
    finally:
        session.envelope = Envelope()
        message.release()
    return session.drop(reply) if message.is_open else reply


async def _answer(session, refusal: str | None) -> str:
    if refusal:
        return session.handler.refuse_message(session, refusal)
    reply = await session.handler.accept_message(session)
    if reply.startswith("250"):
        session.errors = 0
    return reply


async def rset(session, _argument: str) -> str:
    session.envelope = Envelope()
    return replies.OK


COMMANDS = {
    "HELO": helo,
    "EHLO": partial(helo, is_extended=True),
    "STARTTLS": starttls,
    "AUTH": auth,
    "MAIL": mail,
    "RCPT": rcpt,
    "DATA": data,
    "RSET": rset,
}
# Commands whose only effect is the reply.
FIXED_REPLIES = {"NOOP": replies.OK, "QUIT": replies.BYE} | dict.fromkeys(
    ("VRFY", "EXPN", "HELP", "ETRN", "TURN"), replies.NOT_IMPLEMENTED
)
