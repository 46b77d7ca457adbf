"""The address of a client, for places that need one even when it is unknown."""

import secrets
from ipaddress import IPv4Address

from web.client_ip import client, client_ip

UNKNOWN = "0.0.0.0"  # noqa: S104  (compared with, never bound)
COUNTERS = 1000


def address_of(request) -> str:
    """Return the client's IP address. Behind an untrusted Unix socket all have the same one: UNKNOWN."""
    return client_ip(request) or UNKNOWN


def limited_address(request) -> str:
    """Return the address that limits by address alone count a request under.

    Where a trusted proxy does not name its clients, all of them would share one count, and one client could
    use it up for the others. They are spread over COUNTERS addresses that no client has (0.0.0.0/8), too
    many to use up. Limits that also hold by account count under `address_of`.
    """
    found = client(request.META)
    if found.is_named and found.ip:
        return found.ip
    return str(IPv4Address(1 + secrets.randbelow(COUNTERS)))


def shown_address(address: str) -> str:
    """Return a stored address as a page shows it; "" for that of an unknown client."""
    return "" if address.startswith("0.") else address
