"""The header section of a message (RFC 5322), read strictly.

Where two parsers could see different fields or different addresses, nothing is
guessed: BadHeader. What passes means the same to the next hop as it did to us; what it
shows to people, disguise judges.
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

MAX_SECTION = 256 * 1024  # bytes; 100 recipients with long names need some 20 KB
MAX_ADDRESS_FIELD = 4000  # characters of one From or Sender

# A continuation of nothing but white space is no field: some parsers end the header there.
_FIELD = re.compile(rb"(?P<name>[!-9;-~]+):[^\r\n]*+\r\n(?:[ \t]++[^ \t\r\n][^\r\n]*+\r\n)*+")

_CFWS = rf"(?:[ \t]|{FLAT_COMMENT})*+"
_BEHIND = rf"(?:[ \t]|{COMMENT})*+(?=,|\Z)"
_DOMAIN = r"@[^\s@<>(),;:\"\[\]\\]++"
_ADDRESS = rf"{DOT_ATOM}{_DOMAIN}"
# An address as a name is against the grammar, but many send it. What it shows, disguise judges.
_WORD = rf'(?:(?:{ATEXT}|\.)++(?:{_DOMAIN})?|"(?:[^"\\]|\\.)*+")'
_MAILBOX = re.compile(
    rf"{_CFWS}(?:(?P<bare>{_ADDRESS}){_BEHIND}|(?:{_WORD}{_CFWS})*+<(?P<angle>{_ADDRESS})>{_BEHIND})"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


class BadHeader(ValueError):
    """The header can't be read, or can be read in two ways."""


class BadAddresses(BadHeader):
    """A From or Sender can't be read, or can be read in two ways."""


class Field(NamedTuple):
    """One header field: its name in lower case, and all its bytes with the final CRLF."""

    name: str
    raw: bytes

    @property
    def value(self) -> str:
        """The unfolded text. What is not UTF-8 (RFC 6532) comes as lone surrogates, which no address has."""
        text = self.raw.partition(b":")[2].decode(errors="surrogateescape")
        return text.replace("\r\n", "").strip(" \t")


def split(content: bytes) -> tuple[list[Field], int]:
    """Return the fields of a message and where they end: at the empty line, or the end.

    Raises BadHeader when anything but fields stands before the empty line or the end:
    parsers disagree on whether fields after such a line count.
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
    """Return every address of a From or Sender value, read by a narrow grammar without groups, routes and
    quoted local parts. Raises BadAddresses.
    """
    try:
        return [parse_mailbox(address) for _text, address in read_mailboxes(value)]
    except BadAddress:
        raise BadAddresses from None


def read_mailboxes(value: str) -> Iterator[tuple[str, str]]:
    """Give the text of each mailbox of a From or Sender value, and its address. Raises BadAddresses."""
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
