"""The passwords that a person knows, by the events of what they did; and the reset of those."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from audit.models import Event
from credentials import bulk, rotation
from credentials.models import Credential
from credentials.models.batches import hold_domains
from credentials.models.figures import as_moment
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
# As SQL: the ORM needs more time to compile it than the database to answer. The domain of the events is that of
# the SMTP user, which never moves.
_KNOWN = """
SELECT credential.created_at, credential.suspended_at, credential.last_used_at, credential.password_changed_at,
    credential.previous_valid_until, credential.id, credential.username, credential.label,
    domain.id, domain.name, domain.display_name, learned.tag, learned.last_at
FROM (
    SELECT event.credential, event.tag, MAX(event.at) AS last_at
    FROM audit_event AS event
    INNER JOIN domains_membership AS own ON own.domain_id = event.domain_id AND own.role = %s
    WHERE own.user_id = %s AND event.actor_id = %s AND event.tag IN ({tags})
    GROUP BY event.credential, event.tag ORDER BY last_at DESC LIMIT %s
) AS learned
INNER JOIN credentials_credential AS credential ON credential.username = learned.credential
INNER JOIN domains_domain AS domain ON domain.id = credential.domain_id
ORDER BY domain.name, domain.id, credential.created_at, credential.id, learned.last_at
"""
MOST = 10_000  # the newest


class SMTPUser(NamedTuple):
    created_at: datetime
    suspended_at: datetime | None
    last_used_at: datetime | None
    password_changed_at: datetime
    previous_valid_until: datetime | None
    pk: int
    username: str
    label: str
    domain_id: int
    domain_name: str
    domain_display_name: str


_MOMENTS = SMTPUser._fields.index("pk")  # how many come first


class Known(NamedTuple):
    """An SMTP user whose password a person got to know: what they did last, and when."""

    credential: SMTPUser
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
    known = _known(person_pk, owner)
    before = [item for item in known if not item.is_current]
    old = _old_ones(before, timezone.now())
    return Passwords(
        current=[item for item in known if item.is_current],
        old=old,
        reset=[item for item in before if item not in old],
    )


def _known(person_pk, owner) -> list[Known]:
    """Return the SMTP users by domain and age, each with what the person did last to know its password."""
    statement = _KNOWN.format(tags=", ".join(["%s"] * len(LEARNED)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [Role.OWNER.value, owner.pk, person_pk, *LEARNED, MOST])
        known = {}
        for *columns, tag, at in cursor.fetchall():
            user = SMTPUser(*map(as_moment, columns[:_MOMENTS]), *columns[_MOMENTS:])
            known[user.pk] = Known(user, as_moment(at), LEARNED[tag])  # the last one stays
    return list(known.values())


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
