"""The client's address and scheme, seen through the proxies that the operator trusts.

The one place that reads X-Forwarded-For and X-Forwarded-Proto: gunicorn.conf.py turns off gunicorn's own.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest

MAX_HOP = 64  # characters of a hop; an IPv6 address in brackets with its port has 47
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


class Client(NamedTuple):
    """The client behind a request.

    `ip` is None when it is unknown. `is_named` is False when a trusted proxy did not name its client: `ip` is
    then the proxy's own. `is_secure` is None when no trusted proxy says whether the client used TLS.
    """

    ip: str | None
    is_named: bool
    is_secure: bool | None


def client_ip(request: HttpRequest) -> str | None:
    """Return the client's IP address as text, or None when it is not known."""
    return client(request.META).ip


def client(environ: Mapping[str, str]) -> Client:
    """Read both headers from the right, past peers in TRUSTED_PROXIES only.

    TRUSTED_PROXIES holds addresses, CIDR networks, and `unix` for a Unix socket. Each proxy appends its client
    to X-Forwarded-For and that client's scheme to X-Forwarded-Proto; where proxies replace the scheme, its one
    value counts for all of them. Values that a client wrote itself are never believed.
    """
    peer = environ.get("REMOTE_ADDR") or "unix"
    hops, schemes = _values(environ, "HTTP_X_FORWARDED_FOR"), _values(environ, "HTTP_X_FORWARDED_PROTO")
    is_named, is_secure = not is_trusted(peer), None
    while is_trusted(peer):
        if schemes:
            is_secure = schemes.pop().lower() == "https"
        if not hops:
            break
        hop = address(hops.pop())
        is_named = hop is not None
        if not is_named:
            break
        peer = str(hop)
    ip = address(peer)
    return Client(str(ip) if ip else None, is_named, is_secure)


def is_trusted(peer: str) -> bool:
    """Whether TRUSTED_PROXIES contains a peer's address, or `unix`."""
    ip = address(peer)
    if ip is None:
        return peer in settings.TRUSTED_PROXIES
    return any(ip in trusted for trusted in _networks(tuple(settings.TRUSTED_PROXIES)))


def network(text: str) -> IPv4Network | IPv6Network:
    """Return a network of TRUSTED_PROXIES, IPv4-mapped ones as IPv4. Raises ValueError."""
    found = ip_network(text, strict=False)
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    if mapped and found.prefixlen >= 96:
        return ip_network(f"{mapped}/{found.prefixlen - 96}", strict=False)
    return found


def address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, also from `203.0.113.8:51234` or `[2001:db8::1]:443`, or None.

    A socket for both kinds names IPv4 clients ::ffff:203.0.113.7.
    """
    if len(text) > MAX_HOP or "%" in text:
        return None
    with_port = _WITH_PORT.fullmatch(text)
    try:
        found = ip_address(with_port[1] or with_port[2] if with_port else text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(maxsize=8)
def _networks(proxies):
    return [network(proxy) for proxy in proxies if proxy != "unix"]


def _values(environ: Mapping[str, str], name: str) -> list[str]:
    text = environ.get(name, "")
    return [value.strip() for value in text.split(",")] if text else []
