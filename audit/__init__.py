"""Who did what: append-only events. `audit.record(...)` is the one way to write one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.actor import Actor
    from audit.models import Event


def record(
    tag: str, *, by: Actor, domain: Any = None, credential: str = "", data: dict[str, Any] | None = None
) -> Event:
    """Write one event and return it; call it inside the transaction of the act it tells of.

    `tag` is a dotted name (`credential.reset`), `credential` the username it concerns,
    `data` JSON without any secret. Raises what the database raises: an act whose event
    cannot be written must not happen.
    """
    # Imported here because the package is imported before the app registry is ready.
    from audit.models import Event

    return Event.objects.create(
        tag=tag,
        actor=by.user,
        actor_name=by.name,
        ip=by.ip,
        user_agent=by.user_agent,
        domain=domain,
        domain_name=domain.name if domain else "",
        credential=credential,
        data=data or {},
    )
