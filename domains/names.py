"""Domain names: normalising what people paste, and displaying what is stored.

The stored form is the A-label in lower case, without a trailing dot (RFC 5890, UTS 46). Never use
`str.encode("idna")`: it maps `faß.de` to `fass.de`, another domain.
"""

import re
import unicodedata
from functools import cache
from ipaddress import ip_address

import idna
from django.conf import settings
from publicsuffixlist import PublicSuffixList

from domains import homographs

MAX_DOMAIN_LENGTH = 253  # RFC 1035 section 2.3.4, without the root's dot
MAX_DOMAIN_INPUT = 2000  # somebody may paste a long URL; anything longer is not examined
OTHER_DOTS = "\u3002\uff0e\uff61"  # IDNA maps them to a dot
# Names that are never used in mail: RFC 6761, 6762, 7686, 8375 and 9476, ICANN's .internal.
SPECIAL_ENDINGS = {"alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"}

INVALID_NAME = "This isn't a valid domain name. Enter one like example.com."
MAPPED_NAME = "Some characters in this name are treated as others. Did you mean {name}?"
SECOND_DOT = "A letter in this name has a second dot over it, which is invisible. Did you mean {name}?"
DOTTED_I = "A domain name can't contain the letter İ. Did you mean {name}?"
FINAL_SIGMA = "A Σ at the end of a word is σ or ς in a domain name. Type the name in lower case."
NAME_TOO_LONG = (
    f"This name is too long. Use at most {MAX_DOMAIN_LENGTH} characters, and at most 63 between two dots."
)
PUBLIC_SUFFIX = (
    "Anyone can have a name under {name}. Enter yours, like example.{name}. "
    "If {name} itself is yours, ask the operator of this server to add it."
)
ONLY_THE_NAME = "Enter only the domain name, without https://, @, port or path, like example.com."
PERCENT = "This name is percent-encoded. Enter it in readable form, like example.com."


class InvalidDomainName(ValueError):
    """The text is not a domain name that can send mail; str() is a sentence for the user."""


def normalise(text: str, *, public_suffixes: bool = False) -> str:
    """Return the stored form of a domain name that a user typed.

    With `public_suffixes`, one that others register names under is accepted. Raises InvalidDomainName
    with a sentence that says what to do.
    """
    name = text.strip(" ")
    if not name.strip("."):
        raise InvalidDomainName("Enter a domain name, like example.com.")
    if len(name) > MAX_DOMAIN_INPUT:  # before anything examines it
        raise InvalidDomainName(NAME_TOO_LONG)
    if host := host_in(name):
        raise InvalidDomainName(f"Enter only the domain name. Did you mean {display(host)}?")
    if _is_ip_address(name):
        raise InvalidDomainName("An IP address can't be used. Enter a domain name, like example.com.")
    if complaint := homographs.complaint(name):
        raise InvalidDomainName(complaint)
    if complaint := _complaint_about_punctuation(name):
        raise InvalidDomainName(complaint)
    ascii_name = _checked(_with_joiners_explained(name))
    if not name.isascii():
        _refuse_mapped(name, ascii_name)
    if not public_suffixes and _public_suffixes().is_public(ascii_name):
        raise InvalidDomainName(PUBLIC_SUFFIX.format(name=display(ascii_name)))
    return ascii_name


def host_in(text: str) -> str | None:
    """Return the host in a URL, an e-mail address, or a host with a port or path, or None."""
    if len(text) > MAX_DOMAIN_INPUT:
        return None
    match = re.fullmatch(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?([^\s:/?#@]+)(?:[:/?#].*)?", text, re.I)
    if not match or (host := match[1]) == text:
        return None
    try:
        return normalise(host)
    except InvalidDomainName:
        return None


def a_label(name: str) -> str:
    """Return the A-label form of any well-formed name (UTS 46, IDNA 2008). Raises InvalidDomainName."""
    if len(name) > MAX_DOMAIN_INPUT:
        raise InvalidDomainName(NAME_TOO_LONG)
    try:
        ascii_name = idna.encode(name, uts46=True, std3_rules=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidDomainName(NAME_TOO_LONG if "too long" in str(error) else INVALID_NAME) from None
    # idna accepts one trailing dot, the root's, in any form.
    return ascii_name.removesuffix(".")


def u_label(name: str) -> str:
    """Return the U-label form of a stored name, or the name itself when there is none."""
    if len(name) > MAX_DOMAIN_INPUT:
        return name
    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name


def display(name: str) -> str:
    """Return a stored name for display: as U-label, unless that looks like another name."""
    written = u_label(name)
    labels = written.split(".")
    return name if any(homographs.looks_like_another(label) for label in labels) else written


def other_form(name: str) -> str:
    """Return the form of a stored name that `display` doesn't show; "" when there is only one."""
    written = u_label(name)
    if written == name:
        return ""
    return name if display(name) == written else written


def organizational(name: str) -> str:
    """Return the registered name that a stored name belongs to (RFC 7489 section 3.2)."""
    return _public_suffixes().privatesuffix(name) or name


def _with_joiners_explained(name: str) -> str:
    """Return the A-label of a name. An invisible joiner is accepted only where IDNA 2008 needs it."""
    try:
        return a_label(name)
    except InvalidDomainName:
        if homographs.has_joiner(name):
            raise InvalidDomainName(homographs.INVISIBLE_CHARACTER) from None
        raise


def _checked(name: str) -> str:
    """Return an A-label that can be used in mail. Raises InvalidDomainName."""
    labels = name.split(".")
    if len(labels) < 2:
        raise InvalidDomainName(f"“{display(name)}” has no ending. Enter the full name, like example.com.")
    # Browsers take such an ending, also in hexadecimal, for that of an IPv4 address.
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        raise InvalidDomainName("A domain name can't end in a number. Enter one like example.com.")
    for label in u_label(name).split("."):
        if homographs.is_mixed(label):
            raise InvalidDomainName(homographs.MIXED.format(label=label))
    if labels[-1] in SPECIAL_ENDINGS:
        if settings.ALLOW_TEST_DOMAINS:
            return name
        raise InvalidDomainName(
            f"Names that end in .{labels[-1]} are not on the public Internet. Enter a public one."
        )
    return name


def _refuse_mapped(text: str, name: str) -> None:
    """Raise InvalidDomainName when a typed text was mapped to the stored name, instead of being its form.

    Upper case and decomposed letters are the same name to everybody; ①, ℡, ﬁ and a Chinese full stop only
    look like it.
    """
    written = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower()).removesuffix(".")
    if re.search(r"\wΣ(?=[.-]|\Z)", text):
        raise InvalidDomainName(FINAL_SIGMA)
    if set(written) & set(OTHER_DOTS) or u_label(written) != u_label(name):
        raise InvalidDomainName(MAPPED_NAME.format(name=display(name)))
    if "İ" in text:
        raise InvalidDomainName(DOTTED_I.format(name=homographs.without_second_dot(written)))
    if homographs.has_second_dot(written):
        raise InvalidDomainName(SECOND_DOT.format(name=homographs.without_second_dot(written)))


@cache
def _public_suffixes() -> PublicSuffixList:
    """Return the list from its package, including the private section; nothing is downloaded."""
    return PublicSuffixList()


def _complaint_about_punctuation(name: str) -> str:
    if "%" in name:
        return PERCENT
    if "*" in name:
        return "A wildcard can't be used. Enter the domain name itself."
    if re.search(r"[@:/?#\\]", name):
        return ONLY_THE_NAME
    if "_" in name:
        return "A mail domain can't contain an underscore. Enter the domain itself."
    if re.search(r"[,;]", name):
        return "Enter one domain name at a time, like example.com."
    return ""


def _is_ip_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
