"""SPF (RFC 7208) and DMARC (RFC 7489) records: which they are among TXT values, and what they say."""

import re
from collections.abc import Iterable

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.I)
# Begun at each name once: tried at each of its letters, a long one would take the square of its length.
_TAGS = re.compile(r"(?<![a-z])([a-z]++)\s*+=\s*+([^;\s]*+)", re.I)
_ALL = re.compile(r"[+?~-]?all", re.I)


def is_host(text: str) -> bool:
    """Whether a text can be the name of a DNS record, in ASCII and without a dot at the end."""
    return bool(_HOST.fullmatch(text))


def spf_records(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if re.match(r"v=spf1(?: |\Z)", value, re.I))


def includes(record: str, host: str) -> bool:
    """Whether an SPF record includes another's, at a place that is reached."""
    for term in record.lower().split()[1:]:
        if term.removeprefix("+") == f"include:{host.lower()}":
            return True
        if _ALL.fullmatch(term):
            return False  # what follows is never looked at
    return False


def with_include(records: Iterable[str], host: str) -> str:
    """Return one SPF record with the terms of these and an include, the judgement on all others last."""
    own = re.compile(rf"[+?~-]?include:{re.escape(host)}", re.I)
    terms: dict[str, None] = {}  # a dict, so that looking for one costs the same among thousands
    last = ""
    for term in (term for record in records for term in record.split()[1:]):
        if _ALL.fullmatch(term) or term.lower().startswith("redirect="):
            last = last or term
        elif not own.fullmatch(term):
            terms[term] = None
    return " ".join(["v=spf1", f"include:{host}", *terms, last or "~all"])


def dmarc_records(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if re.match(r"v\s*=\s*DMARC1\s*(?:;|\Z)", value))


def is_valid_dmarc(record: str) -> bool:
    tags = dict(_TAGS.findall(record))
    return tags.get("p", "").lower() in ("none", "quarantine", "reject")
