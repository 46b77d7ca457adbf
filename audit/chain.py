"""How events are chained, so that a changed one is found: `manage.py verify_audit`.

The events of a domain are numbered from 1; those of no domain have a chain of their own. Each has

    digest = hex of HMAC-SHA256(key, digest of the one before + "\\n" + JSON of what it tells)

with "" before the first; the JSON has sorted keys, no spaces, and ASCII only. The format stays as
it is for good: old events have to be checked, too. The key is random, one for the whole site, and
lies in the database sealed with CREDENTIAL_KEYS: whoever can write the database alone can't make
a digest, and neither SECRET_KEY nor CREDENTIAL_KEYS being renewed changes one.

What it does not show: that the last events of a chain, or all of them, were cut off, or that
somebody who has the key wrote a chain anew. Only what was noted elsewhere shows that
(verify_audit --expect).
"""

import hmac
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address

from django.db import connection

from audit.models import ChainKey, Event
from vault import cipher

PLACE = "audit chain"  # that the key is sealed for
# What the digest covers.
COLUMNS = (
    "domain_id",
    "number",
    "at",
    "tag",
    "actor_id",
    "actor_name",
    "domain_name",
    "credential",
    "ip",
    "user_agent",
    "data",
)
_is_left_out = ContextVar("is_left_out", default=False)
# It names the events, so that their table is locked first: who holds all tables, as a restore does, then
# records without waiting for somebody who waits for the tables.
HOLD = """
SELECT pg_advisory_xact_lock(hashtextextended('audit', %s)) WHERE NOT EXISTS (SELECT FROM audit_event LIMIT 0)
"""
# Written out: Django takes longer to make this question than a database to answer it.
HEAD = """
SELECT k.sealed, e.number, e.digest FROM audit_chainkey k LEFT JOIN audit_event e ON e.id = (
    SELECT id FROM audit_event WHERE {where} AND number IS NOT NULL ORDER BY number DESC LIMIT 1
)
"""


def told(columns: dict) -> dict:
    """What an event tells, as JSON has it, from its columns; the same from either database.

    What somebody put there that is no time or address stays as it is, and fits no digest.
    """
    at, ip = columns["at"], columns["ip"]
    with suppress(ValueError):
        ip = ip and str(ip_address(ip))
    return columns | {"at": moment(at) if isinstance(at, datetime) else at, "ip": ip}


def moment(at: datetime) -> str:
    """A time as the digests have it: UTC, to the microsecond, so that it sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def digest(key: bytes, previous: str, told: dict) -> str:
    # repr: of what no event has, as bytes, so that it fits no digest.
    columns = {name: told[name] for name in COLUMNS}
    text = json.dumps(columns, sort_keys=True, separators=(",", ":"), default=repr)
    return hmac.digest(key, f"{previous}\n{text}".encode(), "sha256").hex()


def plain(data: dict) -> dict:
    """Data as the database gives it back. Raises TypeError for what would come back otherwise."""
    return json.loads(json.dumps(data), parse_float=_refuse_float)


def link(columns: dict) -> dict:
    """Return number and digest of an event that is written next, in this very transaction.

    Until that ends, who records in the same domain waits. Raises vault.CannotOpen when the
    chains' key is gone, or no key of CREDENTIAL_KEYS opens it.
    """
    if _is_left_out.get():
        return {}
    sealed, number, previous = _head(columns["domain_id"]) or (_plant(), None, None)
    number = (number or 0) + 1
    return {
        "number": number,
        "digest": digest(opened(sealed), previous or "", told(columns | {"number": number})),
    }


@contextmanager
def left_out() -> Iterator[None]:
    """Let the events of a block be in no chain, for what has to be done without its key. verify_audit tells."""
    token = _is_left_out.set(True)
    try:
        yield
    finally:
        _is_left_out.reset(token)


def key() -> bytes | None:
    """The key of all chains, None before the first event. Raises vault.CannotOpen."""
    sealed = ChainKey.objects.values_list("sealed", flat=True).first()
    return None if sealed is None else opened(sealed)


@lru_cache(maxsize=4)
def opened(sealed: str) -> bytes:
    return bytes.fromhex(cipher.open(sealed, place=PLACE))


def new_key() -> str:
    return cipher.seal(secrets.token_hex(32), place=PLACE)


def _head(domain_id) -> tuple | None:
    """(sealed key, number, digest of the last event), held until the transaction ends; None without a key."""
    where, values = ("domain_id IS NULL", []) if domain_id is None else ("domain_id = %s", [domain_id])
    with connection.cursor() as cursor:
        # SQLite has one writer at a time anyway: transactions are IMMEDIATE.
        if connection.vendor == "postgresql":
            cursor.execute(HOLD, [domain_id or 0])
        # A statement of its own: it has to see what was written while the one before waited.
        cursor.execute(HEAD.format(where=where), values)
        return cursor.fetchone()


def _plant() -> str:
    # In this order: who sees the first event of another process sees its key, too.
    if Event.objects.filter(number__isnull=False).exists() and not ChainKey.objects.exists():
        raise cipher.CannotOpen("the key of the events' chains is gone")
    # Conflicts: another process may be at it as well.
    ChainKey.objects.bulk_create([ChainKey(pk=1, sealed=new_key())], ignore_conflicts=True)
    return ChainKey.objects.values_list("sealed", flat=True).get()


def _refuse_float(text):
    raise TypeError("Events hold no fractions: databases write them in several ways.")
