"""The address of a client where there has to be one."""

import secrets

from allauth.core.internal.ratelimit import truncate_ip

from web.client_ip import client, client_ip

UNKNOWN = "0.0.0.0"  # noqa: S104  (compared with, never bound)
COUNTERS = 1000


def address_of(request) -> str:
    """The client's IP address. Behind a Unix socket nobody trusts, all have the same one: UNKNOWN."""
    return client_ip(request) or UNKNOWN


def counted_as(request) -> str:
    """What limits by address alone count a request under; of IPv6 one network.

    Where a trusted proxy does not say whose request it hands on, all its clients would share one count, and
    one of them could use it up for everybody. They are spread over so many counts that nobody can; limits
    that also hold by account count under `address_of`, and brake the guessing.
    """
    found = client(request.META)
    if found.is_named and found.ip:
        return truncate_ip(found.ip)
    return f"unnamed-{secrets.randbelow(COUNTERS)}"
