"""The header section of a message (RFC 5322), read strictly.

Where two parsers could see different fields or different addresses, nothing is
guessed: BadHeader. What passes means the same to the next hop as it did to us.
"""

import re
from email import policy
from typing import NamedTuple

from submission.addresses import ATEXT, DOT_ATOM, Address, BadAddress, parse_mailbox

MAX_SECTION = 256 * 1024  # bytes; 100 recipients with long names need some 20 KB
MAX_ADDRESS_FIELD = 4000  # characters of one From or Sender

# A continuation of nothing but white space is no field: some parsers end the header there.
_FIELD = re.compile(rb"(?P<name>[!-9;-~]+):[^\r\n]*+\r\n(?:[ \t]++[^ \t\r\n][^\r\n]*+\r\n)*+")

_COMMENT = r"\((?:[^()\\]|\\.)*+\)"
_CFWS = rf"(?:[ \t]|{_COMMENT})*+"
_WORD = rf'(?:{ATEXT}++|\.|"(?:[^"\\]|\\.)*+")'
_ADDRESS = rf"{DOT_ATOM}@[^\s@<>(),;:\"\[\]\\]++"
_MAILBOX = re.compile(
    rf"{_CFWS}(?:(?P<bare>{_ADDRESS}){_CFWS}(?=,|\Z)|(?:{_WORD}{_CFWS})*+<(?P<angle>{_ADDRESS})>{_CFWS}(?=,|\Z))"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


class BadHeader(ValueError):
    """The header can't be read, or can be read in two ways."""


class Field(NamedTuple):
    """One header field: its name in lower case, and all its bytes with the final CRLF."""

    name: str
    raw: bytes

    @property
    def value(self) -> str:
        """The unfolded text. Raises BadHeader when it is not UTF-8 (RFC 6532)."""
        try:
            text = self.raw.partition(b":")[2].decode()
        except UnicodeDecodeError:
            raise BadHeader from None
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
    """Return every address of a From or Sender value. Raises BadHeader.

    Two readers have to agree: a narrow grammar without groups, routes, quoted local
    parts and nested comments, and the standard library's parser.
    """
    if len(value) > MAX_ADDRESS_FIELD or _CONTROL.search(value):
        raise BadHeader
    texts = _scan(value)
    if texts != _as_the_standard_library_reads(value):
        raise BadHeader
    try:
        return [parse_mailbox(text) for text in texts]
    except BadAddress:
        raise BadHeader from None


def _scan(value: str) -> list[str]:
    texts, position = [], 0
    while match := _MAILBOX.match(value, position):
        text = match["bare"] or match["angle"]
        if "=?" in text:  # an encoded word may hide another address, RFC 2047 section 5
            raise BadHeader
        texts.append(text)
        if match.end() == len(value):
            return texts
        position = match.end() + 1
    raise BadHeader


def _as_the_standard_library_reads(value: str) -> list[str]:
    try:
        header = policy.SMTPUTF8.header_factory("from", value)
        if _CONTROL.search(str(header)) or any(group.display_name is not None for group in header.groups):
            raise BadHeader
        return [f"{address.username}@{address.domain}" for address in header.addresses]
    except BadHeader:
        raise
    except Exception:
        # Its parser raises IndexError and worse on odd input; such a header is refused.
        raise BadHeader from None
