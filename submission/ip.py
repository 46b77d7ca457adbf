"""IP addresses of clients, as limits and logs use them."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address


@lru_cache(4096)
def plain_ip(ip: str) -> str:
    """Return an address without zone; an IPv4-mapped one as IPv4."""
    address = ip_address(ip.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def client_of(ip: str) -> str:
    """Return the key of a client: its IPv4 address, or the /64 network that an IPv6 customer has."""
    address = ip_address(ip)
    return str(address) if address.version == 4 else address.exploded[:19]
