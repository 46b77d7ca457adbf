"""The address of a client where there has to be one."""

from audit.client_ip import client_ip

UNKNOWN = "0.0.0.0"  # noqa: S104  (compared with, never bound)


def address_of(request) -> str:
    """The client's IP address. Behind a Unix socket nobody trusts, all have the same one: UNKNOWN."""
    return client_ip(request) or UNKNOWN
