"""The chains of events, by which `manage.py verify_audit` finds a changed event.

The events of each domain are numbered from 1; those without a domain have a chain of their own. Each has

    digest = hex of HMAC-SHA256(key, digest of the previous event + "\\n" + JSON of its content)

with "" before the first. The JSON has sorted keys, no spaces, and ASCII only. This format must never
change: old events have to be checked, too. The key is random, one for the whole site, and is stored in
the database sealed with CREDENTIAL_KEYS: write access to the database alone is not enough to make a
digest, and renewing SECRET_KEY or CREDENTIAL_KEYS changes none.

A chain does not show that its last events, or all of them, were cut off, or that somebody who has the
key wrote it again. Only what was noted elsewhere shows that (verify_audit --expect).
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

ASSOCIATED_DATA = "audit chain"  # that the key is sealed with
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
_is_unchained = ContextVar("is_unchained", default=False)
# It names the events, so that their table is locked first: a transaction that holds all tables, as a restore
# does, then records without waiting for one that waits for the tables.
HOLD = """
SELECT pg_advisory_xact_lock(hashtextextended('audit', %s)) WHERE NOT EXISTS (SELECT FROM audit_event LIMIT 0)
"""
# Written out: Django takes longer to build this query than a database to run it.
HEAD = """
SELECT k.sealed, e.number, e.digest FROM audit_chainkey k LEFT JOIN audit_event e ON e.id = (
    SELECT id FROM audit_event WHERE {where} AND number IS NOT NULL ORDER BY number DESC LIMIT 1
)
"""


def content(columns: dict) -> dict:
    """The columns of an event as values of JSON, the same from either database.

    An invalid time or address, which somebody put there, is unchanged and matches no digest.
    """
    at, ip = columns["at"], columns["ip"]
    with suppress(ValueError):
        ip = ip and str(ip_address(ip))
    return columns | {"at": timestamp(at) if isinstance(at, datetime) else at, "ip": ip}


def timestamp(at: datetime) -> str:
    """A time as in the digests: UTC, to the microsecond, so that it sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def digest(key: bytes, previous: str, event: dict) -> str:
    # repr: a value that no event has, such as bytes, matches no digest.
    columns = {name: event[name] for name in COLUMNS}
    text = json.dumps(columns, sort_keys=True, separators=(",", ":"), default=repr)
    return hmac.digest(key, f"{previous}\n{text}".encode(), "sha256").hex()


def plain(data: dict) -> dict:
    """Data as the database returns it. Raises TypeError for data that would come back changed."""
    return json.loads(json.dumps(data), parse_float=_refuse_float)


def next_link(columns: dict) -> dict:
    """Return number and digest of an event that is written next, in this transaction.

    Until it ends, others who record in the same domain wait. Raises vault.CannotOpen when the
    chains' key is gone, or no key of CREDENTIAL_KEYS opens it.
    """
    if _is_unchained.get():
        return {}
    sealed, number, previous = _head(columns["domain_id"]) or (_plant(), None, None)
    number = (number or 0) + 1
    return {
        "number": number,
        "digest": digest(open_key(sealed), previous or "", content(columns | {"number": number})),
    }


@contextmanager
def unchained() -> Iterator[None]:
    """Record the events of a block in no chain, for acts without its key. verify_audit reports them."""
    token = _is_unchained.set(True)
    try:
        yield
    finally:
        _is_unchained.reset(token)


def key() -> bytes | None:
    """The key of all chains, None before the first event. Raises vault.CannotOpen."""
    sealed = ChainKey.objects.values_list("sealed", flat=True).first()
    return None if sealed is None else open_key(sealed)


@lru_cache(maxsize=4)
def open_key(sealed: str) -> bytes:
    return bytes.fromhex(cipher.open(sealed, associated_data=ASSOCIATED_DATA))


def new_key() -> str:
    return cipher.seal(secrets.token_hex(32), associated_data=ASSOCIATED_DATA)


def _head(domain_id) -> tuple | None:
    """(sealed key, number, digest of the last event), locked until the transaction ends; None without a key."""
    where, values = ("domain_id IS NULL", []) if domain_id is None else ("domain_id = %s", [domain_id])
    with connection.cursor() as cursor:
        # SQLite has one writer at a time anyway: transactions are IMMEDIATE.
        if connection.vendor == "postgresql":
            cursor.execute(HOLD, [domain_id or 0])
        # A statement of its own: it has to see what was written while the previous one waited.
        cursor.execute(HEAD.format(where=where), values)
        return cursor.fetchone()


def _plant() -> str:
    # In this order: a process that sees the first event of another one sees its key, too.
    if Event.objects.filter(number__isnull=False).exists() and not ChainKey.objects.exists():
        raise cipher.CannotOpen("the key of the events' chains is gone")
    # Conflicts: another process may do the same.
    ChainKey.objects.bulk_create([ChainKey(pk=1, sealed=new_key())], ignore_conflicts=True)
    return ChainKey.objects.values_list("sealed", flat=True).get()


def _refuse_float(text):
    raise TypeError("Events hold no fractions: databases write them in several ways.")
