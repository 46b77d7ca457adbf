"""Receipts: one event and what is known of it, as JSON with a signature that `verify_audit --receipt` checks.

    signature = hex of HMAC-SHA256(key of the chains, "receipt\\n" + JSON of all the rest)

with sorted keys, no spaces and ASCII only. No link of a chain is signed by such a text: it has a digest or
nothing before its line end. Only a server with the key can check it, and only one with the key can make it.
"""

import hmac
import json
from typing import Any, NamedTuple

from django.utils import timezone

from audit import chain
from audit.actor import SUPPORT_NOTE
from audit.export import KEYS_OF_EXPORT, Malformed
from audit.models import Event

FORMAT = "sendlayer receipt 1"
KEYS = {"format", "made_at", "event", "facts", "withheld", "signature"}
MAX_SIZE = 1_000_000  # characters; one that names 1,000 nodes has 200,000


def make(event: Event, facts: dict[str, Any]) -> str:
    """Return the receipt of an event in a chain, with JSON of what else is known. Raises vault.CannotOpen.

    What support wrote down for itself is left out.
    """
    before = Event.objects.filter(domain=event.domain_id, number=(event.number or 0) - 1)
    link = chain.content({name: getattr(event, name) for name in chain.COLUMNS})
    data = {name: value for name, value in event.data.items() if name != SUPPORT_NOTE}
    link |= {
        "id": event.pk,
        "digest": event.digest,
        "previous": before.values_list("digest", flat=True).first() or "",
        "data": data,
    }
    receipt = {
        "format": FORMAT,
        "made_at": chain.timestamp(timezone.now()),
        "event": link,
        "facts": facts,
        "withheld": [SUPPORT_NOTE] if data != event.data else [],
    }
    return json.dumps(receipt | {"signature": _signature(receipt)}, indent=1) + "\n"


def read(text: str) -> dict:
    """Return what a receipt holds, unchecked. Raises audit.export.Malformed."""
    try:
        receipt = json.loads(text[: MAX_SIZE + 1]) if len(text) <= MAX_SIZE else None
    except (ValueError, RecursionError):
        raise Malformed("it is not JSON") from None
    if not isinstance(receipt, dict) or receipt.keys() != KEYS or receipt["format"] != FORMAT:
        raise Malformed("it is not a receipt of this version")
    event = receipt["event"]
    if not isinstance(event, dict) or event.keys() != KEYS_OF_EXPORT or type(event["number"]) is not int:
        raise Malformed("it holds no event of a chain")
    return receipt


class Verdict(NamedTuple):
    is_genuine: bool  # a server with this key has made it, and nothing in it was changed
    is_in_chain: bool  # the database has this event, with this digest


def check(receipt: dict) -> Verdict:
    """Check what `read` returned. Raises vault.CannotOpen."""
    event, given = receipt["event"], receipt["signature"]
    due = _signature({name: value for name, value in receipt.items() if name != "signature"})
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(errors="replace"), due.encode()):
        return Verdict(is_genuine=False, is_in_chain=False)
    # Signed, so of the types that an event has.
    kept = Event.objects.filter(domain=event["domain_id"], number=event["number"], digest=event["digest"])
    return Verdict(is_genuine=True, is_in_chain=kept.exists())


def _signature(receipt) -> str:
    text = json.dumps(receipt, sort_keys=True, separators=(",", ":"))
    return hmac.digest(chain.key() or b"", f"receipt\n{text}".encode(), "sha256").hex()
