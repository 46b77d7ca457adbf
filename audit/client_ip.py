"""The address a request came from, seen through the proxies that the operator trusts."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings


def client_ip(request) -> str | None:
    """Return the client's IP address as text, or None when it is not known.

    X-Forwarded-For is read from the right, and only past peers that stand in
    TRUSTED_PROXIES (addresses or CIDR networks, `unix` for a Unix socket): what a
    client writes into the header itself is never believed.
    """
    peer = request.META.get("REMOTE_ADDR") or "unix"
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    while hops and is_trusted(peer):
        hop = hops.pop()
        if not _is_address(hop):
            break
        peer = hop
    return str(_address(peer)) if _is_address(peer) else None


def is_trusted(peer: str) -> bool:
    """Whether a peer's address, or `unix`, stands in TRUSTED_PROXIES."""
    if not _is_address(peer):
        return peer in settings.TRUSTED_PROXIES
    address = _address(peer)
    return any(
        address in ip_network(proxy, strict=False) for proxy in settings.TRUSTED_PROXIES if proxy != "unix"
    )


def _address(text: str) -> IPv4Address | IPv6Address:
    """An IPv4 client of a socket that takes both kinds is named ::ffff:203.0.113.7 there."""
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
