"""Allowed networks: where a credential may be used from, stored as Dovecot's `allow_nets` reads them."""

from collections.abc import Iterable
from ipaddress import IPv6Network, ip_address, ip_network

from django.core.exceptions import ValidationError

MAX_NETWORKS = 50
SHOWN_IN_SUMMARY = 2
MAX_STORED = 2500  # 50 of the longest, and their commas
MAX_TYPED = 4 * MAX_STORED  # with spaces and line breaks; more is not worth reading


def clean(text: str) -> str:
    """Return the networks of a text as `192.0.2.0/24,2001:db8::1`, "" for any address.

    Commas, spaces or lines separate them; duplicates are dropped. Raises ValidationError
    with one message for each that can't be used.
    """
    if len(text) > MAX_TYPED:
        raise ValidationError(f"List at most {MAX_NETWORKS} networks: this text is too long.")
    networks: dict = {}
    errors: list[ValidationError] = []
    for word in text.replace(",", " ").split():
        try:
            networks[_parse(word)] = None
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


def _parse(word: str) -> str:
    """Return one network in its shortest form. Raises ValueError with a sentence for the user."""
    shown = f"“{word[:60]}”" if word.isprintable() else "One entry"
    if "%" in word:
        raise ValueError(f"{shown} names a network interface: leave out the % and everything after it.")
    try:
        network = ip_network(word, strict=False)
    except ValueError:
        raise ValueError(
            f"{shown} is not a network. Enter an IP address or a CIDR network, "
            "like 192.0.2.0/24 or 2001:db8::/32."
        ) from None
    if network.version == 6 and network.network_address.ipv4_mapped:
        raise ValueError(f"{shown} is an IPv4 address within IPv6: enter it as {_unmapped(network)}.")
    if "/" in word and ip_network(word, strict=False).network_address != ip_address(word.partition("/")[0]):
        raise ValueError(
            f"{shown} is an address within a network: "
            f"enter {network} for the whole network, or {word.partition('/')[0]} for this address alone."
        )
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _unmapped(network: IPv6Network) -> str:
    length = max(0, network.prefixlen - 96)
    return str(network.network_address.ipv4_mapped) + (f"/{length}" if length < 32 else "")
