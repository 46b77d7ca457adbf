# ruff: noqa: S608  (the names of tables are written here)
"""What was taken away since a backup, found in the restored database beside the one that it replaced, or in
exported events."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from credentials.models import Credential
from domains.models import Domain, Membership
from sendlayer.backups.before import rows
from sendlayer.backups.events import Told

DELETED, RESET, SUSPENDED = "deleted", "reset", "suspended"
NETWORKS, EXPIRY, REVOKED, UNKNOWN = "networks", "expiry", "revoked", "unknown"
# How a reason goes on after "Restored from a backup of …: ".
REASONS = {
    DELETED: "it was deleted after that",
    RESET: "its password was reset after that",
    SUSPENDED: "it was suspended after that",
    NETWORKS: "its allowed networks were changed after that",
    EXPIRY: "its expiry date was changed after that",
    REVOKED: "its old password was revoked after that",
    UNKNOWN: "what happened to it after that is not known",
}

CREDENTIALS = f"""
    SELECT username, why FROM (
        SELECT c.username, CASE
            WHEN b.username IS NULL THEN '{DELETED}'
            WHEN b.password_number <> c.password_number THEN '{RESET}'
            WHEN b.suspended_at IS NOT NULL AND c.suspended_at IS NULL THEN '{SUSPENDED}'
            WHEN b.allowed_networks <> c.allowed_networks THEN '{NETWORKS}'
            WHEN b.expires_at < COALESCE(c.expires_at, '9999-12-31') THEN '{EXPIRY}'
            WHEN c.previous_valid_until > COALESCE(b.previous_valid_until, '1970-01-01') THEN '{REVOKED}'
        END AS why
        FROM credentials_credential c LEFT JOIN before_credentials_credential b ON b.username = c.username
    ) AS found WHERE why IS NOT NULL
"""
DOMAINS = """
    SELECT d.id FROM domains_domain d JOIN before_domains_domain b ON b.id = d.id
    WHERE d.suspended_at IS NULL
    AND (b.suspended_at IS NOT NULL OR (d.authorized_at IS NOT NULL AND b.authorized_at IS NULL))
"""
DELETED_DOMAINS = """
    SELECT d.name FROM domains_domain d LEFT JOIN before_domains_domain b ON b.id = d.id
    WHERE b.id IS NULL ORDER BY d.name
"""
MEMBERS = """
    SELECT m.id, b.role FROM domains_membership m JOIN before_domains_domain d ON d.id = m.domain_id
    LEFT JOIN before_domains_membership b ON b.user_id = m.user_id AND b.domain_id = m.domain_id
    WHERE b.role IS NULL OR b.role <> m.role
"""

OF_CREDENTIALS = {
    "credential.deleted": DELETED,
    "credential.reset": RESET,
    "credential.suspended": SUSPENDED,
    "credential.networks_set": NETWORKS,
    "credential.expiry_set": EXPIRY,
    "credential.old_password_revoked": REVOKED,
}
TAKEN_BACK = {"credential.restored": DELETED, "credential.resumed": SUSPENDED}


@dataclass
class Since:
    """What was taken away: SMTP users by username with why, domains and memberships by primary key."""

    credentials: dict[str, str] = field(default_factory=dict)
    suspended_domains: set[int] = field(default_factory=set)
    deleted_domains: set[str] = field(default_factory=set)
    roles: dict[int, str | None] = field(default_factory=dict)  # None: no member any more

    def add(self, other):
        self.credentials |= other.credentials
        self.suspended_domains |= other.suspended_domains
        self.deleted_domains |= other.deleted_domains
        self.roles |= other.roles


def by_database() -> Since:
    """By the database that was replaced (before.keep)."""
    return Since(
        credentials=dict(rows(CREDENTIALS)),
        suspended_domains={pk for (pk,) in rows(DOMAINS)},
        deleted_domains={name for (name,) in rows(DELETED_DOMAINS)},
        roles=dict(rows(MEMBERS)),
    )


def by_events(events: Iterable[Told]) -> Since:
    """By exported events, in the order of their times."""
    found = Since()
    for event in events:
        if event.is_in_backup():
            continue
        _credential(found, event)
        _domain(found, event)
        _member(found, event)
    return found


def _credential(found, event):
    if why := OF_CREDENTIALS.get(event.tag):
        # A password that was reset is gone, whatever else came before or after.
        if found.credentials.get(event.credential) != RESET:
            found.credentials[event.credential] = why
    elif found.credentials.get(event.credential) == TAKEN_BACK.get(event.tag, UNKNOWN):
        del found.credentials[event.credential]


def _domain(found, event):
    if event.tag == "domain.deleted":
        found.deleted_domains.add(event.domain)
        usernames = Credential.objects.filter(domain__name=event.domain).values_list("username", flat=True)
        found.credentials |= dict.fromkeys(usernames, DELETED)
    elif event.tag in ("domain.suspended", "domain.resumed"):
        pks = set(Domain.objects.filter(name=event.domain).values_list("pk", flat=True))
        act = set.update if event.tag == "domain.suspended" else set.difference_update
        act(found.suspended_domains, pks)


def _member(found, event):
    removed = event.tag in ("member.removed", "member.left", "support.member_removed")
    role = None if removed else event.data.get("role")
    if not removed and event.tag not in ("member.role_changed", "member.joined", "support.member_changed"):
        return
    memberships = Membership.objects.filter(domain__name=event.domain, user__email=event.data.get("member", ""))
    for pk in memberships.values_list("pk", flat=True):
        found.roles[pk] = role
