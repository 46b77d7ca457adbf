"""The next hop over SMTP: one connection per message, and one transaction if it takes all recipients in one.

SMTP_RELAY_URL is `scheme://[user:password@]host[:port]`, user and password URL-encoded:
  smtps://     TLS from the start, certificate verified, port 465
  smtp+tls://  STARTTLS required, certificate verified, port 587
  smtp://      STARTTLS if offered, certificate not verified, port 25; with a password only
               to this machine, because anyone in between could read it

All or nothing: if the next hop refuses one recipient, no recipient gets the message and the client gets the
refusal, which names that recipient. A 250 would silently lose it, and a client that retries after another
reply would send the message to the others twice. So all recipients are offered before any gets the message.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from submission import log
from submission.delivery.message import Message
from submission.delivery.next_hop import Deferred, NotDelivered, Reason, Rejected

CONNECT_SECONDS = 10  # for TCP, to each address of the next hop
# RFC 5321 section 4.5.3.2
COMMAND_SECONDS = 300  # the greeting, MAIL, RCPT and others
START_SECONDS = 120  # the reply to DATA
BLOCK_SECONDS = 180  # to send a part of the message
END_SECONDS = 600  # the reply to the message
# Less than the 10 minutes that our own client waits, or it would send the message again.
TOTAL_SECONDS = 570
MAX_RELAY_CONNECTIONS = 20
MAX_UNSENT = 256 * 1024  # bytes of a message that are waiting to be sent
PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
# TimeoutError and ssl.SSLError are OSErrors.
FAILURES = (NotDelivered, aiosmtplib.SMTPException, OSError)
# The order of our commands or our login at the next hop is at fault, not the message.
OUR_FAULT = {503, 530, 534, 535, 538}


class BadURL(ValueError):
    """SMTP_RELAY_URL is not valid; str() says why, without its password."""


class Relay:
    """A next hop given by a URL."""

    def __init__(self, host: str, port: int, options: dict):
        self._host, self._port, self._options = host, port, options
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
            host,
            port or PORTS[parts.scheme],
            {
                "hostname": host,
                "username": username or None,
                "password": password or None,
                "use_tls": parts.scheme == "smtps",
                "start_tls": {"smtps": False, "smtp+tls": True, "smtp": None}[parts.scheme],
                "validate_certs": parts.scheme != "smtp",
                "local_hostname": local_name,
            },
        )

    def __str__(self):
        return f"{self._host}:{self._port}"

    async def deliver(self, message: Message) -> None:
        """Deliver a message to all its recipients or none. Raises Deferred, Rejected.

        Only with Reason.PARTLY, some have it: the next hop took several transactions and failed in a later one.
        """
        reached: list[str] = []
        try:
            async with asyncio.timeout(TOTAL_SECONDS), self._slots, self._connected() as client:
                parts = await _offer(client, message)
                if len(parts) == 1:
                    return await _send_content(client, message.content)
                await self._send_parts(client, message, parts, reached)
        except FAILURES as error:
            if reached:
                rest = dict.fromkeys(message.recipients)
                for recipient in reached:
                    del rest[recipient]
                raise Deferred(_detail(error), Reason.PARTLY, recipients=[*rest]) from None
            if isinstance(error, NotDelivered):
                raise
            raise Deferred(_detail(error)) from None

    def close(self) -> None:
        """Nothing stays open between messages."""

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        client = aiosmtplib.SMTP(**self._options, timeout=COMMAND_SECONDS)
        try:
            await client.connect(sock=await _connect(self._host, self._port))
            if client.is_ehlo_or_helo_needed:  # the next hop forgets the first EHLO after STARTTLS
                await client.ehlo()
            yield client
        except BaseException:
            _abort(client)
            raise
        await _quit(client)

    async def _send_parts(
        self, client, message: Message, parts: list[Sequence[str]], reached: list[str]
    ) -> None:
        """Send the message in a transaction for each part, and note whom it has reached."""
        for part in parts:
            try:
                await _send_part(client, message, part)
            except FAILURES:
                if not reached:
                    raise
                async with self._connected() as another:  # some take only so many messages in one connection
                    await _send_part(another, message, part)
            reached += part


async def _connect(host: str, port: int) -> socket.socket:
    """Return a socket connected to the first address of a name that answers. Raises OSError."""
    loop = asyncio.get_running_loop()
    failure = OSError("No address")
    for family, kind, protocol, _name, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.sock_connect(sock, address)
            return sock
        except OSError as error:
            failure = error
            sock.close()
        except BaseException:
            sock.close()
            raise
    raise failure


async def _offer(client: aiosmtplib.SMTP, message: Message) -> list[Sequence[str]]:
    """Ask the next hop for all recipients; return them in parts that it takes in one transaction.

    The transaction of a single part stays open. Raises Deferred, Rejected.
    """
    rest: Sequence[str] = message.recipients
    parts: list[Sequence[str]] = []
    while rest:
        if parts:
            await _execute(client, b"RSET")
        await _execute(client, b"MAIL", f"FROM:<{message.sender}>", *_mail_options(client, message))
        number = await _offer_recipients(client, rest)
        parts.append(rest[:number])
        rest = rest[number:]
    if len(parts) > 1:
        await _execute(client, b"RSET")
    return parts


async def _offer_recipients(client, recipients: Sequence[str]) -> int:
    """Return how many recipients one transaction takes. Raises Deferred, Rejected."""
    failures: dict[str, NotDelivered] = {}
    for number, recipient in enumerate(recipients):
        response = await client.execute_command(b"RCPT", f"TO:<{recipient}>".encode())
        if 200 <= response.code < 300:
            continue
        if response.code in OUR_FAULT | {421}:
            raise _failure(response.code, response.message)
        if number > len(failures) and _is_too_many(response):
            if failures:
                break
            return number
        failures[recipient] = _failure(response.code, response.message)
    if failures:
        await _quit(client)
        # What is refused for good counts: another attempt would fail as well.
        kind = Rejected if any(isinstance(failure, Rejected) for failure in failures.values()) else Deferred
        named = {name: failure for name, failure in failures.items() if isinstance(failure, kind)}
        failure = next(iter(named.values()))
        reason = Reason.RECIPIENT_REFUSED if kind is Rejected else Reason.RECIPIENT_DEFERRED
        raise kind(str(failure), reason, failure.code, list(named))
    return len(recipients)


def _is_too_many(response) -> bool:
    """Whether the next hop takes the recipient in another transaction (RFC 5321 section 4.5.3.1.10)."""
    if re.match(r"[45]\.[0-9]{1,3}\.[0-9]{1,3}\b", response.message):
        return response.message[1:].startswith(".5.3")
    return response.code in (452, 552)


async def _send_part(client, message: Message, recipients: Sequence[str]) -> None:
    await _execute(client, b"MAIL", f"FROM:<{message.sender}>", *_mail_options(client, message))
    for recipient in recipients:
        await _execute(client, b"RCPT", f"TO:<{recipient}>")
    await _send_content(client, message.content)


async def _send_content(client: aiosmtplib.SMTP, content: bytes) -> None:
    """Send DATA and the message in slices, dot-stuffed (RFC 5321 section 4.5.2).

    `client.data` would block all sessions for seconds on a message of dots or empty lines, because of its
    regular expressions, and copy the message twice. Every line is known to end with CRLF
    (listener.normal_form).
    """
    response = await client.execute_command(b"DATA", timeout=START_SECONDS)
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
        response = await asyncio.wait_for(reply, END_SECONDS)
    finally:
        reply.cancel()
    if refused_early or response.code != 250:
        raise _failure(response.code, response.message)


async def _write(protocol, content: bytes, reply: asyncio.Future) -> None:
    for stuffed in _dot_stuffed(content):
        protocol.write(stuffed)
        async with asyncio.timeout(BLOCK_SECONDS):
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


async def _execute(client, verb: bytes, *arguments: str) -> None:
    """Send a command with exactly the bytes that were judged. Raises Deferred, Rejected."""
    response = await client.execute_command(verb, *(word.encode() for word in arguments))
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
    return Deferred(detail, code=code)


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
