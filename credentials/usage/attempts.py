"""Logins as mail servers report them, before it is known what they come to."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from credentials.models.login_day import MAX_NAMES
from credentials.outcome import Outcome

MAX_NAME_LENGTH = 254


class Attempt(NamedTuple):
    """What makes logins alike. `outcome` is None for one that was refused without a reported cause.

    `digest` is credentials.digests.digest of a refused one, where it is known; `is_previous`
    says that it was the password before this one, during a rotation.
    """

    username: str
    ip: str
    outcome: Outcome | None
    digest: str = ""
    is_previous: bool = False


@dataclass(slots=True)
class Counted:
    """How many, when, and the names that their clients gave, the last one first.

    `current_at` and `previous_at` are the last accepted logins by the password of then and by the one
    before it.
    """

    number: int
    first_at: datetime
    last_at: datetime
    ehlo: tuple[str, ...] = ()
    mail_from: tuple[str, ...] = ()
    current_at: datetime | None = None
    previous_at: datetime | None = None

    def add(self, other: "Counted"):
        self.number += other.number
        if other.ehlo or other.mail_from:
            newer, older = (other, self) if other.last_at >= self.last_at else (self, other)
            self.ehlo = latest(newer.ehlo, older.ehlo)
            self.mail_from = latest(newer.mail_from, older.mail_from)
        self.first_at, self.last_at = min(self.first_at, other.first_at), max(self.last_at, other.last_at)
        self.current_at = _later(self.current_at, other.current_at)
        self.previous_at = _later(self.previous_at, other.previous_at)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


def latest(newer, older) -> tuple[str, ...]:
    """Join two lists of names, each with the last one first."""
    return tuple(dict.fromkeys((*newer, *older)))[:MAX_NAMES]


def names(given: str) -> tuple[str, ...]:
    """A name that a client chose, as it is kept: it may hold anything, and has no end."""
    name = "".join(char if char.isprintable() else "?" for char in given[:MAX_NAME_LENGTH])
    return (name,) if name else ()
