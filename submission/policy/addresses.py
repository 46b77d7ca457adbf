"""Addresses and parameters of MAIL and RCPT (RFC 5321 section 4.1.2), read strictly.

Narrower than the RFC where a form is only used for tricks: no source routes, no address
literals, no domains of one label. Domains are returned as A-labels in lower case. Wider for
recipients, whose local part is a matter of their own server: some have dots in a row or at the
end, and more than 64 octets.
"""

import re
import unicodedata
from typing import NamedTuple

from domains import names

MAX_LOCAL_PART = 64  # octets, RFC 5321 section 4.5.3.1.1
MAX_MAILBOX = 1000  # characters; more than a command line can hold, and an address has 320 octets

ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]"
DOT_ATOM = rf"{ATEXT}++(?:\.{ATEXT}++)*+"
FLAT_COMMENT = r"\((?:[^()\\]|\\.)*+\)"
COMMENT = FLAT_COMMENT
for _ in range(3):  # nested comments, deeper than anyone writes them
    COMMENT = rf"\((?:[^()\\]|\\.|{COMMENT})*+\)"
_QUOTED = r'"(?:[ !#-;=?-\[\]-~]|\\[ -;=?-~])*+"'
_MAILBOX = re.compile(rf"(?P<local>{DOT_ATOM}|{_QUOTED})@(?P<domain>[^@\s]+)")
_RECIPIENT = re.compile(rf"(?P<local>(?:{ATEXT}|\.)++|{_QUOTED})@(?P<domain>[^@\s]+)")
# Some clients omit the space before a parameter, others the angle brackets.
_PATH = re.compile(
    r'(?:<(?P<mailbox>(?:"(?:[^"\\]|\\.)*+"|[^">])*+)>(?=[ A-Za-z]|\Z)|(?P<bare>[^\s<>"]++)(?= |\Z))'
    r" *+(?P<rest>.*)",
    re.DOTALL,
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_PARAMETER = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]*)(?:=(?P<value>[!-<>-~]+))?")


class BadSyntax(ValueError):
    """The argument doesn't match the syntax of its command."""


class BadAddress(ValueError):
    """The text in the angle brackets is not an address that can send or receive mail."""


class Address(NamedTuple):
    """A mailbox; `domain` is an A-label in lower case."""

    local: str
    domain: str

    def __str__(self):
        return f"{self.local}@{self.domain}"

    @property
    def is_quoted(self) -> bool:
        return self.local.startswith('"')


def parse_argument(keyword: str, argument: str | None) -> tuple[str, dict[str, str | None]]:
    """Split `FROM:<mailbox> NAME=value …` into the mailbox's text and its parameters.

    The text is "" for the null path. Parameter names are returned in upper case, with None
    for a missing value. Raises BadSyntax, BadAddress.
    """
    if not argument or argument[: len(keyword)].upper() != keyword:
        raise BadSyntax
    path = argument[len(keyword) :].lstrip(" \t")
    match = _PATH.fullmatch(path)
    if not match:
        raise BadAddress if path.startswith("<") else BadSyntax
    return match["bare"] or match["mailbox"], _parameters(match["rest"])


def parse_mailbox(text: str) -> Address:
    """Return the address of `local@domain`. Raises BadAddress."""
    address = _parse(_MAILBOX, text)
    if len(address.local.encode()) > MAX_LOCAL_PART:
        raise BadAddress
    return address


def parse_recipient(text: str) -> Address:
    """The same for an address that is only sent to: its local part is taken as it is. Raises BadAddress."""
    return _parse(_RECIPIENT, text)


def domain_name(text: str) -> str:
    """Return a domain as A-label in lower case. Raises BadAddress.

    A non-ASCII name must already be the U-label: full-width letters and other forms that
    UTS 46 maps to a name only look like it.
    """
    if len(text) > MAX_MAILBOX:
        raise BadAddress
    name = unicodedata.normalize("NFC", text).lower()
    if not text.isascii():
        try:
            ascii_name = names.a_label(text)
        except names.InvalidDomainName:
            raise BadAddress from None
        if names.u_label(ascii_name) != name:
            raise BadAddress
        name = ascii_name
    if len(name) > names.MAX_DOMAIN_LENGTH or not _DOMAIN.fullmatch(name):
        raise BadAddress
    return name


def _parse(form: re.Pattern, text: str) -> Address:
    match = form.fullmatch(text) if len(text) <= MAX_MAILBOX else None
    if not match or not match["local"].isprintable():
        raise BadAddress
    return Address(match["local"], domain_name(match["domain"]))


def _parameters(text: str) -> dict[str, str | None]:
    parameters: dict[str, str | None] = {}
    for word in text.split():
        match = _PARAMETER.fullmatch(word)
        if not match or match["name"].upper() in parameters:
            raise BadSyntax
        parameters[match["name"].upper()] = match["value"]
    return parameters
