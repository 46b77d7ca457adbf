"""The message for the next hop: trace header added, missing fields completed (RFC 6409 section 8)."""

import secrets
from dataclasses import dataclass, field
from email.utils import format_datetime
from ipaddress import ip_address
from typing import NamedTuple

from django.utils import timezone

from submission.policy import headers

# Postfix drops the same (message_drop_headers): Bcc would be visible to every recipient, and
# Return-Path belongs to the last hop.
DROPPED_FIELDS = {"bcc", "content-length", "resent-bcc", "return-path"}


class Origin(NamedTuple):
    """Where a message came from: the client's printable HELO name and address, our host name."""

    hello_name: str
    peer_ip: str
    host: str


@dataclass(slots=True)
class Envelope:
    """A message as the client submits it; `content` is without dot-stuffing."""

    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    smtp_utf8: bool = False
    content: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Message:
    """A message for the next hop. `content` is CRLF text without dot-stuffing, bytes or a bytearray."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    smtp_utf8: bool


def prepare(envelope: Envelope, origin: Origin, domain: str) -> Message:
    """Return the message for the next hop. The body's bytes stay the same, and the username isn't in it.

    The envelope's content is changed in place, so that memory never holds a second copy of a big message.
    Raises headers.BadHeader, but never for a message that policy.sender.judge_message has accepted.
    """
    identifier = secrets.token_hex(8).upper()
    now = format_datetime(timezone.now())
    content = envelope.content
    fields, end_of_header = headers.split(content)
    names = {field.name for field in fields}
    added = _received(origin, identifier, now, smtp_utf8=envelope.smtp_utf8)
    if "date" not in names:
        added += f"Date: {now}\r\n"
    if "message-id" not in names:
        added += f"Message-ID: <{secrets.token_hex(16)}@{domain}>\r\n"
    kept = b"".join(field.raw for field in fields if field.name not in DROPPED_FIELDS)
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


def _received(origin: Origin, identifier: str, now: str, *, smtp_utf8: bool) -> str:
    """A Received field (RFC 5321 section 4.4) with the protocol names of RFC 3848 and RFC 6531."""
    literal = f"IPv6:{origin.peer_ip}" if ip_address(origin.peer_ip).version == 6 else origin.peer_ip
    protocol = "UTF8SMTPSA" if smtp_utf8 else "ESMTPSA"
    name = "".join(c if c.isalnum() or c in ".-_:[]" else "?" for c in origin.hello_name)
    return (
        f"Received: from {name} ([{literal}])\r\n"
        f"\tby {origin.host} with {protocol} id {identifier};\r\n"
        f"\t{now}\r\n"
    )
