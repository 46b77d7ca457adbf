"""A text typed into a search: a name, or an SMTP username or IP address as pages and logs print them."""

import re
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

USERNAME_LENGTH = 32  # hexadecimal digits
# Around what people copy from a log: sasl_username=…, user=<…>, client=unknown[…], "…",
_FIELD = re.compile(r"^[A-Za-z_]{1,32}=")
_WRAPPING = " \t<>[](){}\"'`“”‘’«»,;"
_WHOLE = re.compile(rf"(?<![0-9A-Z])[0-9A-F]{{{USERNAME_LENGTH}}}(?![0-9A-Z])")
_PART = re.compile(rf"([0-9A-F]{{1,{USERNAME_LENGTH}}})(?:(?:…|\.{{2,3}})([0-9A-F]{{0,{USERNAME_LENGTH}}}))?")
_HOST = re.compile(r"^[^\s\[\]]{0,255}\[([0-9A-Fa-f:.]{2,45})\]?$")
_PORT = re.compile(r":\d{1,5}$")


class Search(NamedTuple):
    """What a text may mean: `text` in a name, a username by its start and end, an address; "" for none.

    `is_username` is False for what may be a word as well, as "cafe".
    """

    text: str
    start: str = ""
    end: str = ""
    ip: str = ""
    is_username: bool = False


def parse(text: str) -> Search:
    """Read a search of at most 100 characters (web/request.py)."""
    bare = _FIELD.sub("", text.strip(_WRAPPING)).strip(_WRAPPING)
    if whole := _WHOLE.search(text.upper()):
        return Search(text, whole[0], is_username=True)
    if part := _PART.fullmatch(bare.upper()):
        return Search(text, part[1], part[2] or "", is_username=part[2] is not None)
    return Search(text, ip=_address(bare))


def _address(text: str) -> str:
    """The IP address of a text as the database has it, "" for none; with `host[…]` and a port as well."""
    if host := _HOST.match(text):
        text = host[1]
    if text.count(":") == 1:
        text = _PORT.sub("", text)
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
