"""The next hop over SMTP: one connection and one transaction per message.

SMTP_RELAY_URL is `scheme://[user:password@]host[:port]`, user and password URL-encoded:
  smtps://     TLS from the start, certificate verified, port 465
  smtp+tls://  STARTTLS required, certificate verified, port 587
  smtp://      STARTTLS if offered, certificate not verified, port 25; with a password only
               to this machine, because anyone in between could read it

All or nothing: if the next hop refuses one recipient, no recipient gets the message and the
client gets the refusal. A 250 for some of the recipients would silently lose the others.
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
TOTAL_SECONDS = 120
MAX_RELAY_CONNECTIONS = 20
MAX_UNSENT = 256 * 1024  # bytes of a message that are waiting to be sent
PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
# The order of our commands or our login at the next hop is at fault, not the message.
OUR_FAULT = {503, 530, 534, 535, 538}


class BadURL(ValueError):
    """SMTP_RELAY_URL is not valid; str() says why, without its password."""


class Relay:
    """A next hop given by a URL."""

    def __init__(self, options: dict):
        self._options = options
        self._slots = asyncio.Semaphore(MAX_RELAY_CONNECTIONS)

    @classmethod
    def from_url(cls, url: str, local_name: str) -> "Relay":
        """Return the relay of SMTP_RELAY_URL. Raises BadURL."""
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
        """Deliver a message to all its recipients or none. Raises Deferred, Rejected."""
        client = aiosmtplib.SMTP(**self._options, timeout=STEP_SECONDS)
        try:
            async with asyncio.timeout(TOTAL_SECONDS), self._slots:
                await client.connect(timeout=CONNECT_SECONDS)
                await _send_message(client, message)
        except (aiosmtplib.SMTPException, OSError) as error:  # TimeoutError and ssl.SSLError are OSErrors
            _abort(client)
            raise Deferred(_detail(error)) from None
        except BaseException:
            _abort(client)
            raise
        await _quit(client)

    def close(self) -> None:
        """Nothing stays open between messages."""


async def _send_message(client: aiosmtplib.SMTP, message: Message) -> None:
    if client.is_ehlo_or_helo_needed:  # the next hop forgets the first EHLO after STARTTLS
        await client.ehlo()
    options = _mail_options(client, message)
    await _execute(client, b"MAIL", f"FROM:<{message.sender}>", *options)
    refusals = []
    for recipient in message.recipients:
        try:
            await _execute(client, b"RCPT", f"TO:<{recipient}>")
        except Rejected as rejected:
            refusals.append(rejected)
    if refusals:
        await _quit(client)
        raise refusals[0]
    await _send_content(client, message.content)


async def _send_content(client: aiosmtplib.SMTP, content: bytes) -> None:
    """Send DATA and the message in slices, dot-stuffed (RFC 5321 section 4.5.2).

    `client.data` would block all sessions for seconds on a message of dots or empty lines, because of its
    regular expressions, and copy the message twice. Every line is known to end with CRLF
    (policy.sender.Refusal.BARE_NEWLINE).
    """
    response = await client.execute_command(b"DATA")
    if response.code != 354:
        raise _failure(response.code, response.message)
    if client.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    # Read from the start, because a next hop may refuse a message before its end.
    reply = asyncio.ensure_future(client.protocol.read_response())
    reply.add_done_callback(lambda task: task.cancelled() or task.exception())  # _write notices it as well
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
    for stuffed in _dot_stuffed(content):
        protocol.write(stuffed)
        async with asyncio.timeout(STEP_SECONDS):
            while _unsent(protocol) > MAX_UNSENT and not reply.done():
                await asyncio.sleep(0.01)
        if reply.done():
            return


def _dot_stuffed(content: bytes) -> Iterator[bytes]:
    """Yield the message in slices of whole lines, with the leading dots doubled."""
    start = 0
    while start < len(content):
        end = content.find(b"\n", start + MAX_UNSENT) + 1 or len(content)
        part = content[start:end].replace(b"\r\n.", b"\r\n..")
        yield b"." + part if part.startswith(b".") else part
        start = end


def _unsent(protocol) -> int:
    return protocol.transport.get_write_buffer_size() if protocol.transport else 0


async def _execute(client, verb: bytes, argument: str, *options: str) -> None:
    """Send a command with exactly the bytes that were judged. Raises Deferred, Rejected."""
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


def _abort(client) -> None:
    """Close now; a next hop that doesn't read would keep the unsent bytes and the connection forever."""
    if client.transport:
        client.transport.abort()
    client.close()


async def _quit(client) -> None:
    """Send QUIT. An accepted message stays accepted, whatever the answer."""
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
