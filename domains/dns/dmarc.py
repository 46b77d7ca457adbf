"""DMARC records (RFC 7489 section 6.3): finding them among TXT values, and mending one that is wrong."""

import re
from collections.abc import Iterable

POLICIES = ("none", "quarantine", "reject")

_RECORD = re.compile(r"v[ \t]*+=[ \t]*+DMARC1[ \t]*+(?:;|\Z)")
# What was meant as one, and receivers ignore.
_LOOKALIKE = re.compile(
    r"[\s\"'\\]*+(?:v\s*+[=:]\s*+)?+dmarc1?+(?![a-z0-9.@-])\s*+[;,]?+|[\s\"'\\]*+(?=p\s*+=)", re.I
)
_TAG = re.compile(r"([a-z]++)[ \t]*+=[ \t]*+(\S.*+)", re.I | re.S)


def dmarc_records(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if _RECORD.match(value))


def lookalikes(values: Iterable[str]) -> tuple[str, ...]:
    """Return the values that somebody meant as a DMARC record, but that aren't one."""
    return tuple(value for value in values if _LOOKALIKE.match(value) and not _RECORD.match(value))


def problem(record: str) -> str:
    """Return what is wrong with a DMARC record as a sentence; "" when it is valid."""
    first, *parts = [part.strip() for part in record.split(";")]
    if parts and not parts[-1]:
        parts.pop()
    tags: dict[str, str] = {}
    for part in parts:
        tag = _TAG.fullmatch(part)
        if not part:
            return "It has two semicolons with nothing between them."
        if not tag:
            return f"“{part[:60]}” isn't of the form tag=value."
        if (name := tag[1].lower()) in tags:
            return f"It has the tag {name[:20]} twice."
        tags[name] = tag[2]
    if tags.get("p", "").lower() not in POLICIES:
        return "It has no valid policy: p=none, p=quarantine or p=reject."
    return ""


def mended(value: str) -> str:
    """Return a valid record with the tags of one that isn't; "" when it's unclear what was meant."""
    text = value.replace("\\;", ";").strip(" \t\"'\\")
    head = _RECORD.match(text) or _LOOKALIKE.match(text)
    parts = [part.strip() for part in text[head.end() if head else 0 :].split(";")]
    tags = (part for part in parts if part and not re.match(r"v\s*+=", part, re.I))
    record = "; ".join(["v=DMARC1", *tags]) + ";"
    return "" if problem(record) else record
