"""The address of a client where there has to be one."""

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

    Where a trusted proxy does not say whose request it hands on, all its clients would share one count, and
    one of them could use it up for everybody. They are spread over so many counts that nobody can, under
    addresses that no client has (0.0.0.0/8); limits that also hold by account count under `address_of`.
    """
    found = client(request.META)
    if found.is_named and found.ip:
        return found.ip
    return str(IPv4Address(1 + secrets.randbelow(COUNTERS)))


def shown_address(address: str) -> str:
    """Return a stored address as a page shows it; "" for one that stands for an unknown client."""
    return "" if address.startswith("0.") else address
