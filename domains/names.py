"""Domain names: one normaliser from what people paste to the form that is stored.

Stored form: A-label, lower case, no trailing dot (RFC 5890, UTS 46). Never
`str.encode("idna")`: it maps `faß.de` to `fass.de`, which belongs to somebody else.
"""

import re
from ipaddress import ip_address

import idna

MAX_LENGTH = 253  # RFC 1035 section 2.3.4, without the root's dot
MAX_INPUT = 2000  # a long URL may be pasted; beyond that nothing is looked into

INVALID = "This is not a valid domain name. Enter one like example.com."
TOO_LONG = f"This name is too long: {MAX_LENGTH} characters at most, and 63 between two dots."


class InvalidDomainName(ValueError):
    """The text is no domain name that mail can be sent for; str() tells the person why."""


def normalise(text: str) -> str:
    """Return the A-label form of a domain name that a person typed.

    Raises InvalidDomainName with a sentence that says what to do.
    """
    name = text.strip(" ")
    if not name.strip("."):
        raise InvalidDomainName("Enter a domain name, like example.com.")
    if len(name) > MAX_INPUT:
        raise InvalidDomainName(TOO_LONG)
    if host := _host_inside(name):
        raise InvalidDomainName(f"Enter only the domain name. Did you mean {display(host)}?")
    if _is_ip_address(name):
        raise InvalidDomainName("An IP address can't be used. Enter a domain name, like example.com.")
    if "*" in name:
        raise InvalidDomainName("A wildcard can't be used. Enter the domain name itself.")
    if "_" in name:
        raise InvalidDomainName("An underscore can't be part of a mail domain. Enter the domain itself.")
    try:
        ascii_name = idna.encode(name, uts46=True, std3_rules=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        why = TOO_LONG if "too long" in str(error) else INVALID
        raise InvalidDomainName(why) from None
    # idna allows one dot at the end, the root's, in any script's form of a dot.
    return _checked(ascii_name.removesuffix("."))


def display(name: str) -> str:
    """Return the U-label form of a stored name, for people to read."""
    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name


def _checked(name: str) -> str:
    labels = name.split(".")
    if len(labels) < 2:
        raise InvalidDomainName(f"“{display(name)}” lacks its ending. Enter the whole name, like example.com.")
    # Browsers read such an ending, hexadecimal too, as the end of an IPv4 address.
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        raise InvalidDomainName("A domain name can't end in a number. Enter one like example.com.")
    return name


def _host_inside(text: str) -> str | None:
    """The host in a URL, an e-mail address, or a host with a port or path; None when there is none."""
    match = re.fullmatch(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?([^\s:/?#@]+)(?:[:/?#].*)?", text, re.I)
    if not match or (host := match[1]) == text:
        return None
    try:
        return normalise(host)
    except InvalidDomainName:
        return None


def _is_ip_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
