"""A rotation without downtime: the old password works beside the new one for a grace period."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

# Grace periods, by the value that the form sends.
KEEP_FOR = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
CHOICES = (("", "now"), ("1h", "in 1 hour"), ("24h", "in 24 hours"), ("7d", "in 7 days"))
MAX_QUIET_TIME = timedelta(hours=24)
# A login by the password of before may be counted this long after the reset.
LOGIN_TAKES = timedelta(seconds=2)


class Client(NamedTuple):
    """An address ("" for those that aren't listed one by one), and when it used which password."""

    ip: str
    first_at: datetime
    current_at: datetime | None
    previous_at: datetime | None

    @property
    def has_moved(self) -> bool:
        """Whether its last login was by the new password. Of several addresses together, none can be told."""
        return bool(self.ip and self.current_at) and not self.uses_old

    @property
    def uses_old(self) -> bool:
        """Whether its last login was by the old password."""
        if self.previous_at is None:
            return False
        return self.current_at is None or self.previous_at >= self.current_at


class State(StrEnum):
    NO_CLIENTS = "no clients"  # none is known that holds the old password
    NOT_SEEN = "not seen"  # none of them has logged in since the reset
    MOVING = "moving"  # some have not logged in by the new password, or did by the old one afterwards
    RECENT = "recent"  # all have, but the old password was used just now
    SAFE = "safe"


class Verdict(NamedTuple):
    """Whether the old password can be revoked; `clients` may hold it, `others` began with the new one."""

    state: State
    clients: list[Client]
    others: list[Client]
    quiet_time: timedelta
    last: Client | None  # the last one that used the old password

    @property
    def waiting(self) -> list[Client]:
        return [client for client in self.clients if not client.has_moved]


def is_running(credential: Any, now: datetime) -> bool:
    """Whether the previous password still works. Reads no secret of the credential."""
    return bool(credential.previous_valid_until) and credential.previous_valid_until > now


def judge(credential: Any, logins: Iterable[tuple], now: datetime) -> Verdict:
    """Judge whether whatever used the old password has the new one; `logins` are as in `Client`.

    It has once each address that used it in the weeks before the reset has logged in by the new password
    since, after its last login by the old one; and once nothing used the old one for a while: two sites may
    share an address.
    """
    reset_at = credential.password_changed_at
    clients: list[Client] = []
    others: list[Client] = []
    for ip, first_at, current_at, previous_at in logins:
        client = Client(
            ip,
            first_at,
            current_at if current_at and current_at > reset_at + LOGIN_TAKES else None,
            previous_at if previous_at and previous_at > reset_at else None,
        )
        (clients if first_at < reset_at or client.previous_at else others).append(client)
    used_old = [client for client in clients if client.previous_at]
    last = max(used_old, key=lambda client: client.previous_at or reset_at, default=None)
    quiet_time = min((credential.previous_valid_until - reset_at) / 4, MAX_QUIET_TIME)
    state = _state(clients, last, now - quiet_time)
    return Verdict(state, clients, others, quiet_time, last)


def _state(clients: list[Client], last: Client | None, quiet_since: datetime) -> State:
    if not clients:
        return State.NO_CLIENTS
    if not any(client.current_at or client.previous_at for client in clients):
        return State.NOT_SEEN
    if not all(client.has_moved for client in clients):
        return State.MOVING
    return State.RECENT if last and last.previous_at and last.previous_at > quiet_since else State.SAFE
