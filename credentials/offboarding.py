"""The passwords that a person knows, by the events of what they did; and the reset of those."""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audit.models import Event
from credentials import bulk, rotation
from credentials.models import Credential
from credentials.models.batches import hold_domains
from domains.models import Domain
from domains.roles import Role

# What a person does to know a password. Adding and resetting count: what issues a password may return it.
LEARNED = {
    "credential.password_shown": "Showed it",
    "credential.password_copied": "Copied it",
    "credential.handed_over": "Handed it over",
    "credential.created": "Added it",
    "credential.reset": "Reset it",
}
NEW_PASSWORD = ("credential.created", "credential.reset")
MOST = 10_000  # the newest; each is a variable of a query
COLUMNS = (
    *("pk", "username", "label", "suspended_at", "last_used_at", "last_used_ip"),
    *("password_changed_at", "previous_valid_until", "created_at"),
    *("domain_id", "domain__name", "domain__display_name"),
)


class Known(NamedTuple):
    """An SMTP user whose password a person got to know (a row of COLUMNS): what they did last, and when."""

    credential: Any
    at: datetime
    did: str

    @property
    def is_current(self) -> bool:
        """Whether it is still the password."""
        return self.at >= self.credential.password_changed_at


class Passwords(NamedTuple):
    """What a person knows: current passwords, old ones that still work, and those that were reset since."""

    current: list[Known]
    old: list[Known]
    reset: list[Known]


def known_by(person_pk, owner) -> Passwords:
    """Return the passwords in the domains of an owner that a person got to know (LEARNED)."""
    last = _last_learned(person_pk, owner)
    # In the domain of its events, which is the owner's: an SMTP user never moves.
    credentials = Credential.objects.filter(username__in=last).values_list(*COLUMNS, named=True)
    # Sorted here: an ORDER BY across tables takes the ORM a quarter of the query's time to compile.
    in_order = sorted(credentials, key=attrgetter("domain__name", "domain_id", "created_at", "pk"))
    known = [Known(row, *last[row.username]) for row in in_order]
    before = [item for item in known if not item.is_current]
    old = _old_ones(before, timezone.now())
    return Passwords(
        current=[item for item in known if item.is_current],
        old=old,
        reset=[item for item in before if item not in old],
    )


def _last_learned(person_pk, owner) -> dict[str, tuple[datetime, str]]:
    """What a person did last to know each password in the domains of an owner, and when; by username."""
    owned = {"domain__memberships__user": owner, "domain__memberships__role": Role.OWNER}
    events = Event.objects.filter(actor=person_pk, tag__in=LEARNED, **owned)
    learned = sorted(
        events.values_list("credential", "tag").annotate(Max("at")), key=itemgetter(2), reverse=True
    )
    last: dict[str, tuple[datetime, str]] = {}
    for username, tag, at in learned[:MOST]:
        last.setdefault(username, (at, LEARNED[tag]))
    return last


def _old_ones(known: list[Known], now) -> list[Known]:
    """Keep those whose old password still works, and is the one that the person knows."""
    known = [item for item in known if rotation.is_running(item.credential, now)]
    if not known:
        return known
    usernames = [item.credential.username for item in known]
    changes = Event.objects.filter(credential__in=usernames, tag__in=NEW_PASSWORD).order_by("at")
    began: dict[str, datetime] = {}
    changed_at = {item.credential.username: item.credential.password_changed_at for item in known}
    for username, at in changes.values_list("credential", "at"):
        if at < changed_at[username]:
            began[username] = at
    return [item for item in known if item.at >= began.get(item.credential.username, item.at)]


@transaction.atomic
def reset(person_pk, usernames: Iterable[str], *, by: Any, keep_old_for=None) -> list[str]:
    """Reset those of these passwords that a person still knows; all or none; return their usernames.

    One that another owner resets in the meantime is left as it is then.
    """
    hold_domains(row.domain_id for row in _chosen(person_pk, usernames, by))
    chosen: dict[int, list[str]] = {}
    for row in _chosen(person_pk, usernames, by):
        chosen.setdefault(row.domain_id, []).append(row.username)
    # All of them before the first event (audit/locks.py).
    rows = Credential.objects.filter(username__in=[name for names in chosen.values() for name in names])
    list(rows.order_by("pk").select_for_update().values_list("pk"))
    domains = Domain.objects.in_bulk(chosen)
    acts = [
        bulk.reset(domains[pk], chosen[pk], by=by, keep_old_for=keep_old_for).usernames for pk in sorted(chosen)
    ]
    return [username for usernames in acts for username in usernames]


def _chosen(person_pk, usernames, by) -> list:
    rows = [item.credential for item in known_by(person_pk, by.user).current]
    return [row for row in rows if row.username in usernames]
