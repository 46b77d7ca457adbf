"""SPF (RFC 7208) and DMARC (RFC 7489) records: finding them among TXT values, and reading them."""

import re
from collections.abc import Iterable

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.I)
# Matched once a name: starting at each of its letters would take the square of a long name's length.
_TAGS = re.compile(r"(?<![a-z])([a-z]++)\s*+=\s*+([^;\s]*+)", re.I)
_ALL = re.compile(r"[+?~-]?all", re.I)


def is_host(text: str) -> bool:
    """Whether a text can be the name of a DNS record, in ASCII and without a dot at the end."""
    return bool(_HOST.fullmatch(text))


def spf_records(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if re.match(r"v=spf1(?: |\Z)", value, re.I))


def includes(record: str, host: str) -> bool:
    """Whether an SPF record includes a host's, before any `all` that ends it."""
    for term in record.lower().split()[1:]:
        if term.removeprefix("+") == f"include:{host.lower()}":
            return True
        if _ALL.fullmatch(term):
            return False  # the terms after it are ignored
    return False


def with_include(records: Iterable[str], host: str) -> str:
    """Merge SPF records into one that includes a host's, with the first `all` or `redirect` at the end."""
    included = re.compile(rf"[+?~-]?include:{re.escape(host)}", re.I)
    terms: dict[str, None] = {}  # ordered, and without duplicates
    last = ""
    for term in (term for record in records for term in record.split()[1:]):
        if _ALL.fullmatch(term) or term.lower().startswith("redirect="):
            last = last or term
        elif not included.fullmatch(term):
            terms[term] = None
    return " ".join(["v=spf1", f"include:{host}", *terms, last or "~all"])


def dmarc_records(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if re.match(r"v\s*=\s*DMARC1\s*(?:;|\Z)", value))


def is_valid_dmarc(record: str) -> bool:
    tags = dict(_TAGS.findall(record))
    return tags.get("p", "").lower() in ("none", "quarantine", "reject")
