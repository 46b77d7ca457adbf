"""IP addresses of clients, as limits and logs know them."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address


@lru_cache(4096)
def plain_ip(ip: str) -> str:
    """Return an address without zone, an IPv4 one that came over IPv6 as IPv4."""
    address = ip_address(ip.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def client_of(ip: str) -> str:
    """The key of one client: its IPv4 address, or the /64 that an IPv6 customer owns."""
    address = ip_address(ip)
    return str(address) if address.version == 4 else address.exploded[:19]
