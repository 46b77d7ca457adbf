# ruff: noqa: S608  (names of tables and columns, from our models)
"""Events that were exported before the database was lost: JSON lines, as `export_audit` writes them.

Those of another exporter have tag, at, credential, domain, and for members data and actor. What they revoked is
replayed in the copy of the database that the restored one is compared with (previous_database.py).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path

from django.utils.dateparse import parse_datetime

from audit.models import Event
from credentials.models import Credential
from credentials.models.batches import chunks
from credentials.models.deleted import DeletedCredential
from domains.roles import Role
from operations.backups import BackupError
from operations.backups.previous_database import query

# An event has the time of its server's clock, and commits after it. Those in the backup are recognised by their
# exact time, so a wide margin costs nothing.
MARGIN = timedelta(hours=1)
ROUNDED = timedelta(milliseconds=1)
RESTORE, RECONCILE = "restore", "reconcile"  # the names of the actors
# The event of an act that a failover lost, with the act's own tag, time and actor in its data.
LOST_TAG = "system.act_lost"

COLUMNS_OF_DELETED = {
    field.column for field in DeletedCredential._meta.concrete_fields if not field.primary_key
}
SHARED = ", ".join(
    field.column for field in Credential._meta.concrete_fields if field.column in COLUMNS_OF_DELETED
)
LIVE, DELETED = "before_credentials_credential", "before_credentials_deletedcredential"
THIS = "WHERE username = %(credential)s"
DOMAIN_IDS = "(SELECT id FROM before_domains_domain WHERE name = %(domain)s)"


def _set_credential(change) -> list[str]:
    return [f"UPDATE {LIVE} SET {change} {THIS}"]


def _move_credential(source, target) -> list[str]:
    return [
        f"INSERT INTO {target} ({SHARED}) SELECT {SHARED} FROM {source} {THIS}",
        f"DELETE FROM {source} {THIS}",
    ]


def _set_domain(change) -> list[str]:
    return [f"UPDATE before_domains_domain SET {change} WHERE name = %(domain)s"]


def _set_role(person, role=None) -> list[str]:
    """Give the "member" or "actor" of an event this role; without one, end the membership."""
    user = f"(SELECT id FROM before_accounts_user WHERE email = %({person})s)"
    leave = f"DELETE FROM before_domains_membership WHERE domain_id IN {DOMAIN_IDS} AND user_id IN {user}"
    join = (
        "INSERT INTO before_domains_membership (domain_id, user_id, role) "
        f"SELECT d.id, u.id, '{role}' FROM {DOMAIN_IDS} d, {user} u"
    )
    return [leave, join] if role else [leave]


# What each event does to the copy. Where only the change counts, the new value is one that surely differs.
REPLAY = {
    "credential.reset": _set_credential("password_number = password_number + 1"),
    "credential.deleted": _move_credential(LIVE, DELETED),
    "credential.restored": _move_credential(DELETED, LIVE),
    "credential.erased": [f"DELETE FROM {DELETED} {THIS}"],
    "credential.suspended": _set_credential("suspended_at = CURRENT_TIMESTAMP"),
    "credential.resumed": _set_credential("suspended_at = NULL, suspended_by_support = NULL"),
    "credential.networks_set": _set_credential("allowed_networks = allowed_networks || '!'"),
    "credential.expiry_set": _set_credential("expires_at = '1970-01-01'"),
    "credential.old_password_revoked": _set_credential("previous_valid_until = NULL"),
    "domain.suspended": [
        *_set_domain("suspended_at = CURRENT_TIMESTAMP"),
        # Deleted, or added since: the name is suspended all the same.
        "INSERT INTO before_domains_domain (name, suspended_at) "
        f"SELECT %(domain)s, CURRENT_TIMESTAMP WHERE NOT EXISTS {DOMAIN_IDS}",
    ],
    "domain.resumed": _set_domain("suspended_at = NULL"),
    "domain.deleted": [
        *(
            f"DELETE FROM {table} WHERE domain_id IN {DOMAIN_IDS}"
            for table in (LIVE, DELETED, "before_domains_membership")
        ),
        "DELETE FROM before_domains_domain WHERE name = %(domain)s",
    ],
} | dict.fromkeys(("member.removed", "member.left", "support.member_removed"), _set_role("member"))
GIVES_ROLE = {"member.joined", "member.role_changed", "member.made_owner", "support.member_changed"}


def read(path: Path, taken_at: datetime) -> list[dict]:
    """The events since shortly before that time, by their times. Raises BackupError, OSError."""
    with open(path, encoding="utf-8") as lines:
        found = [event for event in parsed(path, lines) if event["at"] > taken_at - MARGIN]
    return sorted(found, key=itemgetter("at"))


def replay(events: Iterable[dict]) -> None:
    """Do to the copy what these events did, as far as the database that it was made of does not have them."""
    for event in unrecorded(events):
        for statement in _statements(event):
            query(statement, event)


def unrecorded(events: Iterable[dict]) -> Iterator[dict]:
    """Those that the database neither has nor has as lost, in their order."""
    for chunk in chunks(events):
        known = _recorded(min(event["at"] for event in chunk), max(event["at"] for event in chunk))
        for event in chunk:
            # An exporter may have rounded the time.
            if not any(abs(at - event["at"]) <= ROUNDED for at in known[_key(event)]):
                yield event


def _key(event) -> tuple:
    return event["tag"], event["credential"], event["domain"]


def _recorded(since, until) -> dict[tuple, list[datetime]]:
    """When what happened in this time, by _key."""
    found = defaultdict(list)
    period = Event.objects.filter(at__range=(since - ROUNDED, until + ROUNDED))
    for tag, credential, domain, at in period.values_list("tag", "credential", "domain_name", "at"):
        found[tag, credential, domain].append(at)
    lost = Event.objects.filter(tag=LOST_TAG, at__gte=since - MARGIN)
    for credential, data in lost.values_list("credential", "data"):
        found[data["act"], credential, data["domain"]].append(datetime.fromisoformat(data["at"]))
    return found


def _statements(event) -> list[str]:
    match event:
        case {"tag": "credential.suspended", "reason": reason, "actor": actor} if reason and actor not in (
            RESTORE,
            RECONCILE,
        ):
            # Support gives a reason, members are not asked for one.
            return _set_credential("suspended_at = CURRENT_TIMESTAMP, suspended_by_support = TRUE")
        case {"tag": "domain.transferred"}:
            return [*_set_role("member", Role.OWNER), *_set_role("actor", Role.MANAGER)]
        case {"tag": tag, "role": role} if tag in GIVES_ROLE and role in Role.values:
            return _set_role("member", role)
    return REPLAY.get(event["tag"], [])


def parsed(path, lines: Iterable[str]) -> Iterator[dict]:
    """The events of JSON lines; `path` is for the message. Raises BackupError."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found = event(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BackupError(
                f"{path}, line {number}: no event with `tag` and `at` (a time with its zone)."
            ) from None
        yield found


def event(row: dict) -> dict:
    """An event from its columns. Raises KeyError, TypeError, ValueError, AttributeError."""
    at, data = parse_datetime(row["at"]), dict(row.get("data") or {})
    texts = {
        "tag": row["tag"],
        "credential": row.get("credential") or "",
        "domain": row.get("domain_name") or row.get("domain") or "",
        "actor": row.get("actor_name") or row.get("actor") or "",
    }
    if at.tzinfo is None or not all(isinstance(text, str) for text in texts.values()):
        raise TypeError
    details = {name: data.get(name) for name in ("member", "role", "reason")}
    words = {name: text if isinstance(text, str) else "" for name, text in details.items()}
    number = row.get("id")
    return {"at": at, "id": number if type(number) is int else 0, "data": data} | texts | words
