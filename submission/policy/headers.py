"""The header section of a message (RFC 5322), read strictly.

Where two parsers could see different fields or addresses, it raises BadHeader instead of
guessing. What it accepts means the same to the next hop; what people see, disguise judges.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from submission.policy.addresses import (
    ATEXT,
    COMMENT,
    DOT_ATOM,
    FLAT_COMMENT,
    Address,
    BadAddress,
    parse_mailbox,
)

MAX_SECTION = 256 * 1024  # bytes; 1,000 recipients with long names need some 100 KB
MAX_LINE = 998  # octets without CRLF, RFC 5322 section 2.1.1
MAX_ADDRESS_FIELD = 4000  # characters of one From or Sender

# A continuation line of white space alone is refused: some parsers end the header there.
_FIELD = re.compile(rb"(?P<name>[!-9;-~]+):[^\r\n]*+\r\n(?:[ \t]++[^ \t\r\n][^\r\n]*+\r\n)*+")

_CFWS = rf"(?:[ \t]|{FLAT_COMMENT})*+"
_BEHIND = rf"(?:[ \t]|{COMMENT})*+(?=,|\Z)"
_DOMAIN = r"@[^\s@<>(),;:\"\[\]\\]++"
_ADDRESS = rf"{DOT_ATOM}{_DOMAIN}"
# Many encoders leave punctuation in encoded words, against RFC 2047 section 5; without "@" it hides nothing.
_ENCODED = rf"=\?[A-Za-z0-9_*-]{{1,40}}\?[Qq]\?(?:{ATEXT}|[.,:;\[\]])*?\?="
# An address as display name violates the grammar, but many send it; disguise judges it.
_WORD = rf'(?:{_ENCODED}|(?:{ATEXT}|\.)++(?:{_DOMAIN})?|"(?:[^"\\]|\\.)*+")'
_MAILBOX = re.compile(
    rf"{_CFWS}(?:(?P<bare>{_ADDRESS}){_BEHIND}"
    rf"|(?:{_WORD}{_CFWS})*+<[ \t]*+(?P<angle>{_ADDRESS})[ \t]*+>{_BEHIND})"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


class BadHeader(ValueError):
    """The header can't be parsed, or is ambiguous."""


class BadAddresses(BadHeader):
    """A From or Sender can't be parsed, or is ambiguous."""


class Field(NamedTuple):
    """A header field: its name in lower case, and its bytes including the final CRLF."""

    name: str
    raw: bytes

    @property
    def value(self) -> str:
        """The unfolded text. Bytes that aren't UTF-8 (RFC 6532) become lone surrogates."""
        text = self.raw.partition(b":")[2].decode(errors="surrogateescape")
        return text.replace("\r\n", "").strip(" \t")

    @property
    def has_sound_lines(self) -> bool:
        """Whether no line is so long that a next hop may break it, or blank, where some end the header."""
        lines = self.raw.split(b"\r\n")[:-1]
        return all(line.strip() and len(line) <= MAX_LINE for line in lines)


def split(content: bytes) -> tuple[list[Field], int]:
    """Return the fields of a message and the position behind them: of the empty line, or the end.

    Raises BadHeader if there is anything but fields before that: parsers disagree on
    whether fields after such a line count.
    """
    fields, position = [], 0
    while match := _FIELD.match(content, position, position + MAX_SECTION):
        fields.append(Field(match["name"].decode().lower(), bytes(match[0])))
        position = match.end()
        if position > MAX_SECTION:
            raise BadHeader
    if position < len(content) and not content.startswith(b"\r\n", position):
        raise BadHeader
    return fields, position


def mailboxes(value: str) -> list[Address]:
    """Return every address of a From or Sender value. Raises BadAddresses.

    The grammar is narrow: no groups, no routes, no quoted local parts.
    """
    try:
        return [parse_mailbox(address) for _text, address in read_mailboxes(value)]
    except BadAddress:
        raise BadAddresses from None


def read_mailboxes(value: str) -> Iterator[tuple[str, str]]:
    """Yield the text and the address of each mailbox in a From or Sender value. Raises BadAddresses."""
    if len(value) > MAX_ADDRESS_FIELD or _CONTROL.search(value):
        raise BadAddresses
    position = 0
    while match := _MAILBOX.match(value, position):
        address = match["bare"] or match["angle"]
        if "=?" in address:  # an encoded word may hide another address, RFC 2047 section 5
            break
        yield match[0], address
        if match.end() == len(value):
            return
        position = match.end() + 1
    raise BadAddresses
