"""The milter protocol's packets, as far as a filter of headers needs them.

The protocol has no RFC: this is version 6, of Sendmail 8.14 (`mfdef.h` of libmilter) as Postfix speaks it
(MILTER_README). A packet is its length in 4 bytes of network order, a command of one byte, and data.

Python's libraries for it are unmaintained or need libmilter's headers to be built, and those in pure Python
raise on header names, greetings and macros that aren't ASCII.
"""

import struct
from collections.abc import Iterator

VERSION = 6
MAX_PACKET = 128 * 1024  # bytes; Postfix cuts a header off at 60,000 for milters

# Commands of the mail server …
NEGOTIATE, MACROS, MAIL, HEADER = b"O", b"D", b"M", b"L"
END_OF_HEADER, END_OF_MESSAGE, ABORT = b"N", b"E", b"A"
QUIT, NEXT_CONNECTION = b"Q", b"K"
# … those that it lets pass: DATA; and connect, HELO, RCPT, unknown commands, body, which it doesn't ask for;
UNJUDGED = (b"T", b"C", b"H", b"R", b"U", b"B")
# … and answers to them.
CONTINUE, ACCEPT, REPLY_CODE = b"c", b"a", b"y"

_LENGTH = struct.Struct("!L")
_OFFER = struct.Struct("!LLL")  # version, actions, protocol
_SET_MACROS = 0x100
_STAGE_MAIL, _STAGE_END_OF_HEADER = 2, 6
# No connect, HELO, RCPT, body and unknown commands; MAIL and headers need no answer. DATA gets one: without it,
# TCP holds Postfix's next packet back until the kernel acknowledges the last one, 40 ms later.
_PROTOCOL = 0x1 | 0x2 | 0x8 | 0x10 | 0x100 | 0x4000 | 0x80


class BadPacket(ValueError):
    """Not the milter protocol, or not as it was negotiated."""


class Packets:
    """Cuts a stream of bytes into packets."""

    def __init__(self):
        self._waiting = b""

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the command and data of each packet that is complete now. Raises BadPacket."""
        waiting, position = self._waiting + data, 0
        while len(waiting) - position >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(waiting, position)
            if not 1 <= length <= MAX_PACKET:
                raise BadPacket
            start = position + _LENGTH.size
            if len(waiting) - start < length:
                break
            position = start + length
            yield waiting[start : start + 1], waiting[start + 1 : position]
        self._waiting = waiting[position:]


def packet(command: bytes, data: bytes = b"") -> bytes:
    return _LENGTH.pack(len(command) + len(data)) + command + data


def negotiated(offer: bytes) -> bytes:
    """The answer to a mail server's offer: headers only, with the macros to judge them by. Raises BadPacket."""
    if len(offer) < _OFFER.size:
        raise BadPacket
    version, actions, protocol = _OFFER.unpack_from(offer)
    if version < VERSION or not actions & _SET_MACROS or protocol & _PROTOCOL != _PROTOCOL:
        raise BadPacket
    macros = _LENGTH.pack(_STAGE_MAIL) + b"{auth_authen} {mail_addr}\0"
    macros += _LENGTH.pack(_STAGE_END_OF_HEADER) + b"i\0"
    return packet(NEGOTIATE, _OFFER.pack(VERSION, _SET_MACROS, _PROTOCOL) + macros)


def macros_of(data: bytes) -> dict[bytes, bytes]:
    """The values of a MACROS packet by their names, after the byte of the command that they belong to."""
    texts = data[1:].split(b"\0")
    return dict(zip(texts[0::2], texts[1::2], strict=False))


def header_of(data: bytes) -> tuple[bytes, bytes]:
    """The name and value of a HEADER packet; the value's lines end in LF. Raises BadPacket."""
    name, end, rest = data.partition(b"\0")
    if not end or rest[-1:] != b"\0":
        raise BadPacket
    return name, rest[:-1]


def reply(text: str) -> bytes:
    """A packet that has the mail server refuse a message with this reply of SMTP."""
    return packet(REPLY_CODE, text.replace("%", "%%").encode() + b"\0")
