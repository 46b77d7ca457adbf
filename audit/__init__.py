"""Append-only events: who did what. `audit.record(...)` is the only way to write one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.actor import Actor
    from audit.models import Event


def record(
    tag: str, *, by: Actor, domain: Any = None, credential: str = "", data: dict[str, Any] | None = None
) -> Event:
    """Write one event and return it; call it inside the transaction of its act.

    `tag` is a dotted name (`credential.reset`), `credential` the username it concerns,
    `data` JSON without any secret. Raises what the database raises: an act whose event
    can't be written must not happen.

    Until the end of the transaction nobody else records in this domain (audit/chain.py),
    so other rows are locked before this, the domain or the person first (audit/locks.py).
    """
    # Imported here because the package is imported before the app registry is ready.
    from django.db import transaction
    from django.utils import timezone

    from audit import chain
    from audit.actor import SUPPORT_NOTE
    from audit.models import Event

    note = {SUPPORT_NOTE: by.note} if by.note else {}

    columns = {
        "at": timezone.now(),
        "tag": tag,
        "actor_id": by.user.pk if by.user else None,
        "actor_name": by.name,
        "ip": by.ip,
        "user_agent": by.user_agent,
        "domain_id": domain.pk if domain else None,
        "domain_name": domain.name if domain else "",
        "credential": credential,
        "data": chain.plain((data or {}) | note),
    }
    # No savepoint: when this fails, the act around it must not go on.
    with transaction.atomic(savepoint=False):
        return Event.objects.create(**columns, **chain.next_link(columns))
