# ruff: noqa: S608  (the names of tables are written here)
"""What was taken away since a backup, found in the restored database beside the one that it replaced, or in
exported events."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from credentials.models import Credential
from domains.models import Domain, Membership
from domains.roles import Role
from operations.backups.exported_events import Told
from operations.backups.previous_database import rows

DELETED, RESET, SUSPENDED, BY_SUPPORT = "deleted", "reset", "suspended", "by_support"
NETWORKS, EXPIRY, REVOKED, UNKNOWN = "networks", "expiry", "revoked", "unknown"
# How a reason goes on after "Restored from a backup of …: ".
REASONS = {
    DELETED: "it was deleted after that",
    RESET: "its password was reset after that",
    SUSPENDED: "it was suspended after that",
    BY_SUPPORT: "it was suspended by support after that",
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
            WHEN b.suspended_by_support IS TRUE AND c.suspended_by_support IS NOT TRUE THEN '{BY_SUPPORT}'
            WHEN b.suspended_at IS NOT NULL AND c.suspended_at IS NULL THEN '{SUSPENDED}'
            WHEN b.allowed_networks <> c.allowed_networks THEN '{NETWORKS}'
            WHEN b.expires_at < COALESCE(c.expires_at, '9999-12-31') THEN '{EXPIRY}'
            WHEN c.previous_valid_until > COALESCE(b.previous_valid_until, '1970-01-01') THEN '{REVOKED}'
        END AS why
        FROM credentials_credential c LEFT JOIN before_credentials_credential b ON b.username = c.username
    ) AS found WHERE why IS NOT NULL
"""
SUSPENDED_BY_SUPPORT = """
    SELECT username FROM before_credentials_credential WHERE suspended_by_support IS TRUE
    UNION SELECT username FROM before_credentials_deletedcredential WHERE suspended_by_support IS TRUE
"""
UNDONE = """
    SELECT c.username FROM credentials_deletedcredential c
    JOIN before_credentials_credential b ON b.username = c.username
"""
# One that was deleted since is suspended, too, where the name was added again and then suspended.
DOMAINS = """
    SELECT d.id FROM domains_domain d LEFT JOIN before_domains_domain b ON b.id = d.id
    WHERE d.suspended_at IS NULL AND (
        b.suspended_at IS NOT NULL
        OR (b.id IS NOT NULL AND b.authorized_at IS NULL AND d.authorized_at IS NOT NULL)
        OR (b.id IS NULL AND EXISTS (
            SELECT 1 FROM before_domains_domain s WHERE s.name = d.name AND s.suspended_at IS NOT NULL
        ))
    )
"""
SUSPENDED_NAMES = "SELECT name FROM before_domains_domain WHERE suspended_at IS NOT NULL"
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
    by_support: set[str] = field(default_factory=set)  # whose suspension only support lifts
    undone: set[str] = field(default_factory=set)  # deleted before the backup, and restored after it
    suspended_domains: set[int] = field(default_factory=set)
    suspended_names: set[str] = field(default_factory=set)
    deleted_domains: set[str] = field(default_factory=set)
    roles: dict[int, str | None] = field(default_factory=dict)  # None: no member any more

    def add(self, other):
        self.credentials |= other.credentials
        self.by_support |= other.by_support
        self.undone |= other.undone
        self.suspended_domains |= other.suspended_domains
        self.suspended_names |= other.suspended_names
        self.deleted_domains |= other.deleted_domains
        self.roles |= other.roles


def by_database() -> Since:
    """By the database that was replaced (before.keep)."""
    return Since(
        credentials=dict(rows(CREDENTIALS)),
        by_support={username for (username,) in rows(SUSPENDED_BY_SUPPORT)},
        undone={username for (username,) in rows(UNDONE)},
        suspended_domains={pk for (pk,) in rows(DOMAINS)},
        suspended_names={name for (name,) in rows(SUSPENDED_NAMES)},
        deleted_domains={name for (name,) in rows(DELETED_DOMAINS)},
        roles=dict(rows(MEMBERS)),
    )


def by_events(events: Iterable[Told]) -> Since:
    """By exported events, in the order of their times."""
    found, whys = Since(), {}
    for event in events:
        if event.is_in_backup():
            continue
        if event.credential:
            _credential(found, whys.setdefault(event.credential, []), event)
        _domain(found, whys, event)
        _member(found, event)
    # A password that was reset is gone, whatever else came before or after.
    found.credentials = {name: RESET if RESET in each else each[-1] for name, each in whys.items() if each}
    return found


def _credential(found, whys, event):
    """Note in `whys`, the reasons for one SMTP user, what an event adds to them or takes back."""
    if why := OF_CREDENTIALS.get(event.tag):
        whys.append(why)
    elif gone := TAKEN_BACK.get(event.tag):
        whys[:] = [why for why in whys if why != gone]
    match event.tag:
        case "credential.suspended" if event.is_by_support():
            found.by_support.add(event.credential)
        case "credential.resumed":
            found.by_support.discard(event.credential)
        case "credential.restored":
            found.undone.add(event.credential)
        case "credential.deleted":
            found.undone.discard(event.credential)


def _domain(found, whys, event):
    if event.tag == "domain.deleted":
        found.deleted_domains.add(event.domain)
        for username in Credential.objects.filter(domain__name=event.domain).values_list("username", flat=True):
            whys.setdefault(username, []).append(DELETED)
    elif event.tag in ("domain.suspended", "domain.resumed"):
        pks = set(Domain.objects.filter(name=event.domain).values_list("pk", flat=True))
        act = set.update if event.tag == "domain.suspended" else set.difference_update
        act(found.suspended_domains, pks)
        act(found.suspended_names, {event.domain})


def _member(found, event):
    match event.tag:
        case "member.removed" | "member.left" | "support.member_removed":
            roles = {event.data.get("member"): None}
        case "member.role_changed" | "member.joined" | "member.made_owner" | "support.member_changed":
            roles = {event.data.get("member"): event.data.get("role")}
        case "domain.transferred":
            roles = {event.data.get("member"): Role.OWNER, event.actor: Role.MANAGER}
        case _:
            return
    for email, role in roles.items():
        memberships = Membership.objects.filter(domain__name=event.domain, user__email=email)
        found.roles |= dict.fromkeys(memberships.values_list("pk", flat=True), role)
