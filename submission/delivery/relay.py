"""The next hop over SMTP: one connection and one transaction a message.

SMTP_RELAY_URL is `scheme://[user:password@]host[:port]`, user and password URL-encoded:
  smtps://     TLS from the start, certificate verified, port 465
  smtp+tls://  STARTTLS required, certificate verified, port 587
  smtp://      STARTTLS where it is offered, certificate not verified, port 25; with a
               password only on this machine, since anybody between could read it

All or nothing: when the next hop refuses one recipient, nobody gets the message and the
client is told. A 250 that stood for some of the recipients would lose the others silently.
"""

import asyncio
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from submission import log
from submission.delivery.message import Message
from submission.delivery.next_hop import Deferred, Reason, Rejected

STEP_SECONDS = 30
CONNECT_SECONDS = 10
WHOLE_SECONDS = 120
MAX_CONNECTIONS = 20
SLICE = 256 * 1024  # bytes of a message that wait for the next hop
PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
# Our order of commands or our own login at the next hop is at fault, not the message.
OUR_FAULT = {503, 530, 534, 535, 538}


class BadURL(ValueError):
    """SMTP_RELAY_URL can't be used; str() says why, without its password."""


class Relay:
    """The next hop that a URL names."""

    def __init__(self, options: dict):
        self._options = options
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)

    @classmethod
    def from_url(cls, url: str, local_name: str) -> "Relay":
        """Read SMTP_RELAY_URL. Raises BadURL."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise BadURL("it is not a URL") from None
        if parts.scheme not in PORTS or not host or parts.path.strip("/") or parts.query or parts.fragment:
            raise BadURL("it must be smtp://, smtp+tls:// or smtps://, a host and perhaps a port")
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
        if username and parts.scheme == "smtp" and not _is_this_machine(host):
            raise BadURL("a password needs smtp+tls:// or smtps://")
        return cls(
            {
                "hostname": host,
                "port": port or PORTS[parts.scheme],
                "username": username or None,
                "password": password or None,
                "use_tls": parts.scheme == "smtps",
                "start_tls": {"smtps": False, "smtp+tls": True, "smtp": None}[parts.scheme],
                "validate_certs": parts.scheme != "smtp",
                "local_hostname": local_name,
            }
        )

    def __str__(self):
        return f"{self._options['hostname']}:{self._options['port']}"

    async def deliver(self, message: Message) -> None:
        """Hand a message on to all its recipients or none. Raises Deferred, Rejected."""
        client = aiosmtplib.SMTP(**self._options, timeout=STEP_SECONDS)
        try:
            async with asyncio.timeout(WHOLE_SECONDS), self._slots:
                await client.connect(timeout=CONNECT_SECONDS)
                await _transact(client, message)
        except (aiosmtplib.SMTPException, OSError) as error:  # TimeoutError and ssl.SSLError are OSErrors
            _abandon(client)
            raise Deferred(_detail(error)) from None
        except BaseException:
            _abandon(client)
            raise
        await _part(client)

    def close(self) -> None:
        """Nothing stays open between messages."""


async def _transact(client: aiosmtplib.SMTP, message: Message) -> None:
    if client.is_ehlo_or_helo_needed:  # after STARTTLS the next hop has forgotten the first one
        await client.ehlo()
    options = _mail_options(client, message)
    await _step(client, b"MAIL", f"FROM:<{message.sender}>", *options)
    refusals = []
    for recipient in message.recipients:
        try:
            await _step(client, b"RCPT", f"TO:<{recipient}>")
        except Rejected as rejected:
            refusals.append(rejected)
    if refusals:
        await _part(client)
        raise refusals[0]
    await _send(client, message.content)


async def _send(client: aiosmtplib.SMTP, content: bytes) -> None:
    """DATA and the message, dot-stuffed (RFC 5321 section 4.5.2), by slices.

    Not by `client.data`: its regular expressions hold up every session for seconds where a message is
    of dots or of empty lines, and it copies the whole of it twice more. Each line is known to end with
    CRLF (policy.Refusal.BARE_NEWLINE).
    """
    response = await client.execute_command(b"DATA")
    if response.code != 354:
        raise _failure(response.code, response.message)
    if client.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    # Listened to from the start: a next hop may refuse a message before its end.
    reply = asyncio.ensure_future(client.protocol.read_response())
    reply.add_done_callback(lambda task: task.cancelled() or task.exception())  # the writing tells it too
    try:
        await _write(client.protocol, content, reply)
        refused_early = reply.done()
        if not refused_early:
            client.protocol.write(b".\r\n")
        response = await asyncio.wait_for(reply, STEP_SECONDS)
    finally:
        reply.cancel()
    if refused_early or response.code != 250:
        raise _failure(response.code, response.message)


async def _write(protocol, content: bytes, reply: asyncio.Future) -> None:
    for stuffed in _stuffed(content):
        protocol.write(stuffed)
        async with asyncio.timeout(STEP_SECONDS):
            while _waiting(protocol) > SLICE and not reply.done():
                await asyncio.sleep(0.01)
        if reply.done():
            return


def _stuffed(content: bytes) -> Iterator[bytes]:
    """The message by slices that end with a line, each dot that begins one doubled."""
    start = 0
    while start < len(content):
        end = content.find(b"\n", start + SLICE) + 1 or len(content)
        piece = content[start:end].replace(b"\r\n.", b"\r\n..")
        yield b"." + piece if piece.startswith(b".") else piece
        start = end


def _waiting(protocol) -> int:
    return protocol.transport.get_write_buffer_size() if protocol.transport else 0


async def _step(client, verb: bytes, argument: str, *options: str) -> None:
    """One command, its bytes exactly those that were judged."""
    arguments = (word.encode() for word in (argument, *options))
    response = await client.execute_command(verb, *arguments)
    if not 200 <= response.code < 300:
        raise _failure(response.code, response.message)


def _mail_options(client, message: Message) -> list[str]:
    options = [f"SIZE={len(message.content)}"] if client.supports_extension("size") else []
    needs_utf8 = not "".join((message.sender, *message.recipients)).isascii()
    if message.smtp_utf8 and client.supports_extension("smtputf8"):
        options.append("SMTPUTF8")
    elif needs_utf8:
        raise Rejected("no SMTPUTF8", Reason.NEEDS_SMTPUTF8)
    if not message.content.isascii():
        if not client.supports_extension("8bitmime"):
            raise Rejected("no 8BITMIME", Reason.NEEDS_8BITMIME)
        options.append("BODY=8BITMIME")
    return options


def _failure(code: int, text: str) -> Exception:
    detail = f"{code} {log.printable(text, 200)}"
    if 500 <= code < 600 and code not in OUR_FAULT:
        return Rejected(detail, Reason.REFUSED, code)
    return Deferred(detail)


def _abandon(client) -> None:
    """Close at once: a next hop that does not read would keep what is waiting, and the connection, for ever."""
    if client.transport:
        client.transport.abort()
    client.close()


async def _part(client) -> None:
    """Say QUIT. What was accepted stays accepted, whatever happens now."""
    try:
        await client.quit(timeout=2)
    except (aiosmtplib.SMTPException, OSError):
        pass
    finally:
        client.close()


def _detail(error: Exception) -> str:
    code = getattr(error, "code", "")
    return f"{type(error).__name__} {code} {log.printable(str(error), 200)}"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
