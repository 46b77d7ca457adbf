"""Who acts: a signed-in person with their address and browser, or a part of the system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from web.characters import harmless
from web.client_ip import client_ip

NAME_LENGTH = 254
USER_AGENT_LENGTH = 200
SUPPORT_NOTE = "support_note"  # in the data of an event; members never read it


@dataclass(frozen=True)
class Actor:
    """The name, address and browser that an event copies; `user` is None for the system.

    `note` is what support writes down for support alone; its events keep it as SUPPORT_NOTE.
    """

    name: str
    user: Any = None
    ip: str | None = None
    user_agent: str = ""
    note: str = ""

    @classmethod
    def of(cls, request, user=None) -> Actor:
        """Return the signed-in person of a request, or `user` when nobody is signed in yet."""
        user = user or request.user
        return cls(user.email, user, client_ip(request), _user_agent(request))

    @classmethod
    def visitor(cls, request, name: str) -> Actor:
        """Return somebody without an account; `name` says what let them in."""
        return cls(name[:NAME_LENGTH], None, client_ip(request), _user_agent(request))

    @classmethod
    def system(cls, name: str) -> Actor:
        """Return the actor for a command or a timer of this name."""
        return cls(name)


def _user_agent(request) -> str:
    agent = request.headers.get("User-Agent", "")[: 2 * USER_AGENT_LENGTH].replace("\x00", "")
    return harmless(agent)[:USER_AGENT_LENGTH]


def public_data(data: dict) -> dict:
    """Return the data of an event without what support noted for support alone: what members may read."""
    return {name: value for name, value in data.items() if name != SUPPORT_NOTE}
