"""From what came in to what goes out: trace header and missing fields (RFC 6409 section 8)."""

import secrets
from dataclasses import dataclass, field
from email.utils import format_datetime
from ipaddress import ip_address
from typing import NamedTuple

from django.utils import timezone

from submission.policy import headers

# What a Postfix in this place takes out as well (message_drop_headers): Bcc would tell
# every recipient, Return-Path belongs to the last hop.
DROPPED = {"bcc", "content-length", "resent-bcc", "return-path"}


class Trace(NamedTuple):
    """Where a message came from: printable HELO name, address, our host name, SMTPUTF8 asked for."""

    hello_name: str
    peer_ip: str
    host: str
    smtp_utf8: bool


@dataclass(slots=True)
class Envelope:
    """What a client gives of a message: MAIL, RCPT, and the content without dot-stuffing."""

    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    smtp_utf8: bool = False
    content: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to the next hop. `content` is CRLF text without dot-stuffing, bytes or a bytearray."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    smtp_utf8: bool


def finish(envelope: Envelope, trace: Trace, domain: str) -> Message:
    """Return the message to hand on; the body keeps its bytes, the username stays out.

    It is made of the envelope's `content`, a bytearray, in place: of a big message no second copy is
    ever in memory.

    Raises headers.BadHeader; a message that policy.judge_message passed never does.
    """
    identifier = secrets.token_hex(8).upper()
    now = format_datetime(timezone.now())
    content = envelope.content
    fields, end_of_header = headers.split(content)
    names = {field.name for field in fields}
    added = _received(trace, identifier, now)
    if "date" not in names:
        added += f"Date: {now}\r\n"
    if "message-id" not in names:
        added += f"Message-ID: <{secrets.token_hex(16)}@{domain}>\r\n"
    kept = b"".join(field.raw for field in fields if field.name not in DROPPED)
    if end_of_header == len(content):
        content += b"\r\n"
    content[:end_of_header] = added.encode() + kept
    return Message(
        id=identifier,
        sender=envelope.sender,
        recipients=tuple(dict.fromkeys(envelope.recipients)),
        content=content,
        smtp_utf8=envelope.smtp_utf8,
    )


def _received(trace: Trace, identifier: str, now: str) -> str:
    """RFC 5321 section 4.4, protocol names of RFC 3848 and RFC 6531."""
    literal = f"IPv6:{trace.peer_ip}" if ip_address(trace.peer_ip).version == 6 else trace.peer_ip
    protocol = "UTF8SMTPSA" if trace.smtp_utf8 else "ESMTPSA"
    name = "".join(c if c.isalnum() or c in ".-_:[]" else "?" for c in trace.hello_name)
    return (
        f"Received: from {name} ([{literal}])\r\n"
        f"\tby {trace.host} with {protocol} id {identifier};\r\n"
        f"\t{now}\r\n"
    )
