"""Hostnames of DNS records, in ASCII and without a dot at the end."""

import re
from collections.abc import Iterable

APEX = "@"  # how zone files and providers write a zone's own name
MAX_HOST = 253

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,{MAX_HOST}}}\Z){_LABEL}(?:\.{_LABEL})*", re.I)


def is_host(text: str) -> bool:
    """Whether a text can be the name of a DNS record, in ASCII and without a dot at the end."""
    return bool(_HOST.fullmatch(text))


def is_within(host: str, zone: str) -> bool:
    return host == zone or host.endswith(f".{zone}")


def parent(host: str) -> str:
    return host.partition(".")[2]


def relative(host: str, zone: str) -> str:
    """Return what is entered for a hostname where a zone is edited: `_dmarc.mail`, or @ for the zone itself."""
    return APEX if host == zone else host.removesuffix(f".{zone}")


def misplaced(host: str, zones: Iterable[str]) -> dict[str, str]:
    """Return where a record ends up that was entered by another of its names, and in which of the zones.

    A provider adds the zone to what is entered, which may be the full name, or the label in another zone.
    """
    zones = [zone for zone in zones if is_within(host, zone)]
    entered = [host, *(relative(host, zone) for zone in zones)]
    places = {zone if name == APEX else f"{name}.{zone}": zone for zone in zones for name in entered}
    places.pop(host, None)
    return places
