"""Allowed networks: where a credential may be used from, stored as Dovecot's `allow_nets` reads them."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network, summarize_address_range
from itertools import islice

from django.core.exceptions import ValidationError

MAX_NETWORKS = 50
SHOWN_IN_SUMMARY = 2
MAX_STORED = 2500  # 50 of the longest, and their commas
MAX_TYPED = 4 * MAX_STORED  # with spaces and line breaks; more is not worth reading

_COMMENT = re.compile(r"#[^\r\n]*+")
_DASH = re.compile(r"(?<=[0-9a-f:])[ \t]{0,9}[-\u2013][ \t]{0,9}(?=[0-9a-f:])", re.I)  # of a range
_STARS = re.compile(r"((?:[0-9]{1,3}\.){1,3})\*(?:\.\*){0,2}")


def clean(text: str) -> str:
    """Return the networks of a text as `192.0.2.0/24,2001:db8::1`, "" for any address.

    Commas, semicolons, spaces or lines separate them; duplicates, and comments from # to the end of a line,
    are dropped. Raises ValidationError with one message for each that can't be used.
    """
    if len(text) > MAX_TYPED:
        raise ValidationError(f"List at most {MAX_NETWORKS} networks: this text is too long.")
    networks: dict = {}
    errors: list[ValidationError] = []
    words = _DASH.sub("-", re.sub(r"[,;]", " ", _COMMENT.sub(" ", text))).split()
    if "#" in text and not words:  # blank would allow every address
        raise ValidationError(
            "Every entry is a comment. Remove the #, or leave the field empty for any address."
        )
    for word in words:
        try:
            networks |= dict.fromkeys(_parse(word))
        except ValueError as error:
            errors.append(ValidationError("%(problem)s", params={"problem": error}))
    if len(networks) > MAX_NETWORKS:
        errors.append(ValidationError(f"List at most {MAX_NETWORKS} networks (you listed {len(networks)})."))
    if errors:
        raise ValidationError(errors[:MAX_NETWORKS])
    return ",".join(networks)


def allows(networks: str, ip: str) -> bool:
    """Whether an address lies in one of the stored networks; blank allows every address."""
    if not networks:
        return True
    address = ip_address(ip)
    return any(address in ip_network(network) for network in networks.split(","))


def excluded(networks: str, *, before: str, used_from: Iterable[str]) -> list[str]:
    """Those of the addresses that were allowed before and no longer are; "" stands for an unknown one."""
    if _are_within(before, networks):
        return []
    return [ip for ip in used_from if not ip or (allows(before, ip) and not allows(networks, ip))]


def _are_within(inner: str, outer: str) -> bool:
    """Whether every address that the inner networks allow is allowed by the outer ones."""
    if not (inner and outer):
        return not outer
    wide = [ip_network(network) for network in outer.split(",")]
    small = [ip_network(network) for network in inner.split(",")]
    # Only equal versions are compared, which the types can't express.
    return all(any(a.version == b.version and a.subnet_of(b) for b in wide) for a in small)  # type: ignore[arg-type]


def listed(networks: str) -> list[str]:
    return networks.split(",") if networks else []


def summary(networks: str) -> str:
    """The first two of the stored networks and how many more there are, "any address" for none."""
    first, more = listed(networks)[:SHOWN_IN_SUMMARY], len(listed(networks)) - SHOWN_IN_SUMMARY
    return ", ".join(first) + (f" and {more} more" if more > 0 else "") or "any address"


def _parse(word: str) -> list[str]:
    """Return what one entry means, in its shortest form. Raises ValueError with a sentence for the user.

    An entry is an address (IPv6 also in brackets), a CIDR network, 192.0.2.* or a range.
    """
    shown = f"“{word[:60]}”"
    if not word.isprintable():
        visible = "".join(character if character.isprintable() else "�" for character in word[:60])
        raise ValueError(f"“{visible}” contains an invisible character (�). Type this entry manually.")
    if "%" in word:
        raise ValueError(f"{shown} names a network interface: leave out the % and everything after it.")
    plain = re.sub(r"\A\[([0-9a-f:.]++)\](/[0-9]++)?+\Z", r"\1\2", word, flags=re.I)
    try:
        if "-" in plain:
            return _range(plain)
        if stars := _STARS.fullmatch(plain):
            given = stars[1].count(".")
            plain = f"{stars[1]}{'.'.join('0' * (4 - given))}/{8 * given}"
        network = ip_network(plain, strict=False)
    except ValueError:
        raise ValueError(
            f"{shown} is not a network. Enter an IP address or a CIDR network, "
            "like 192.0.2.0/24 or 2001:db8::/32."
        ) from None
    address, slash, _length = plain.partition("/")
    if slash and network.network_address != ip_address(address):
        raise ValueError(
            f"{shown} is an address within a network: "
            f"enter {network} for the whole network, or {address} for this address alone."
        )
    return [_shortest(network)]


def _range(text: str) -> list[str]:
    """Return the networks of `192.0.2.1-192.0.2.20`, also written `192.0.2.1-20`. Raises ValueError."""
    first, _dash, last = text.partition("-")
    if re.fullmatch(r"[0-9]{1,3}", last):
        last = f"{first.rpartition('.')[0]}.{last}"
    pair = ip_address(first), ip_address(last)
    if pair[0].version != pair[1].version:
        raise ValueError(text)
    networks: Iterable[IPv4Network | IPv6Network] = summarize_address_range(*pair)
    # One more than can be stored is enough to refuse them.
    return [_shortest(network) for network in islice(networks, MAX_NETWORKS + 1)]


def _shortest(network: IPv4Network | IPv6Network) -> str:
    if network.version == 6 and network.network_address.ipv4_mapped:
        return _unmapped(network)
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _unmapped(network: IPv6Network) -> str:
    length = max(0, network.prefixlen - 96)
    return str(network.network_address.ipv4_mapped) + (f"/{length}" if length < 32 else "")
