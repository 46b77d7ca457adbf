"""Taking a person out of all domains of an owner in one act."""

from operator import attrgetter
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone

import audit
from accounts.models import User
from audit.models import Event
from domains.members.actions import record_ended
from domains.models import Domain, Invitation, Membership
from domains.roles import Role

YOURSELF = "This is your own membership. To give it up, press Leave on the domain's Members tab."
NOT_YOURS = "You aren't an owner of this domain. Ask one of its owners to remove them."
LAST_OWNER = "No other owner can sign in, and a domain needs one. Make someone else an owner first."


class Access(NamedTuple):
    """A membership in a domain, or an invitation to it; `obstacle` says why it can't be ended, if so."""

    domain: Domain
    role: Role
    is_invitation: bool = False
    obstacle: str = ""


class Person(NamedTuple):
    """A user with their access, or one who is deleted and known by events alone; `name` is their e-mail."""

    pk: int
    name: str
    user: User | None
    access: list[Access]

    def __str__(self):
        return self.name

    @property
    def can_lose(self) -> list[Access]:
        return [item for item in self.access if not item.obstacle]

    @property
    def keeps(self) -> list[Access]:
        return [item for item in self.access if item.obstacle]


def find(pk, owner) -> Person | None:
    """Return a person who is or was a member of a domain of an owner; None for a stranger to all of them."""
    user = User.objects.filter(pk=pk).first()
    access = _access_of(user, owner) if user else []
    if any(item.obstacle != NOT_YOURS and not item.is_invitation for item in access):
        return Person(pk, user.email, user, access)
    events = Event.objects.filter(actor=pk, **_owned(owner)).order_by("-at")
    name = events.values_list("actor_name", flat=True).first()
    return Person(pk, user.email if user else name, user, access) if name else None


def _owned(owner) -> dict:
    """The condition that a row is of a domain of an owner."""
    return {"domain__memberships__user": owner, "domain__memberships__role": Role.OWNER}


def _access_of(user, owner) -> list[Access]:
    """Return a user's access to the domains of an owner, and their memberships in others that the two share."""
    shared = Membership.objects.filter(user=user, domain__memberships__user=owner)
    shared = list(shared.annotate(role_of_owner=F("domain__memberships__role")).select_related("domain"))
    last = _last_owned(shared)
    found = [Access(row.domain, Role(row.role), obstacle=_obstacle(row, last, owner)) for row in shared]
    invitations = Invitation.objects.filter(
        email=user.email.lower(), expires_at__gt=timezone.now(), **_owned(owner)
    )
    joined = {row.domain_id for row in shared}
    found += [
        Access(row.domain, Role(row.role), is_invitation=True)
        for row in invitations.select_related("domain")
        if row.domain_id not in joined
    ]
    return sorted(found, key=lambda access: (bool(access.obstacle), access.domain.name, access.domain.pk))


def _obstacle(row, last_owned, owner) -> str:
    if row.role_of_owner != Role.OWNER:
        return NOT_YOURS
    if row.domain_id in last_owned:
        return LAST_OWNER
    return YOURSELF if row.user_id == owner.pk else ""


@transaction.atomic
def remove(user, *, by) -> tuple[list[Domain], list[Domain]]:
    """End the memberships of a user in all domains of the actor, and the invitations to their address.

    Return the domains that they have left, and those where they stay as the last owner.
    """
    owned = Domain.objects.owned_by(by.user)
    # Held first: as the owner in the meantime removes whoever owns, only what is owned then counts.
    held = Domain.objects.hold(*(_of_member(owned, user) | _of_invited(owned, user)))
    domains = owned.in_bulk(held)
    memberships = list(Membership.objects.filter(user=user, domain__in=domains))
    staying = _last_owned(memberships)
    ended = [row for row in memberships if row.domain_id not in staying]
    Membership.objects.filter(pk__in=[row.pk for row in ended]).delete()
    # Of a member, as always, without an event of its own: an unused link must not let them back in.
    invitations = list(Invitation.objects.filter(email=user.email.lower(), domain__in=domains))
    Invitation.objects.filter(pk__in=[row.pk for row in invitations]).delete()
    left = {row.domain_id for row in ended}
    revoked = [row for row in invitations if row.domain_id not in left | staying]
    unvouched = Invitation.objects.filter(domain__in=left).delete_unvouched()
    for row in sorted([*ended, *revoked, *unvouched], key=attrgetter("domain_id")):
        row.domain = domains[row.domain_id]
        _record(row, user, unvouched, by)
    left |= {row.domain_id for row in revoked}
    return [domains[pk] for pk in sorted(left)], [domains[pk] for pk in sorted(staying)]


def _of_member(owned, user) -> set:
    return set(owned.filter(pk__in=user.memberships.values("domain")).values_list("pk", flat=True))


def _of_invited(owned, user) -> set:
    return set(owned.filter(invitations__email=user.email.lower()).values_list("pk", flat=True))


def _last_owned(memberships) -> set:
    """Return the domains of these that would be left without an owner who can sign in."""
    owned = {row.domain_id for row in memberships if row.role == Role.OWNER}
    if not owned:
        return owned
    others = Membership.objects.filter(domain__in=owned, role=Role.OWNER).with_sign_in()
    return owned - set(others.exclude(pk__in=[row.pk for row in memberships]).values_list("domain", flat=True))


def _record(row, user, unvouched, by):
    if isinstance(row, Membership):
        tag = "member.left" if user == by.user else "member.removed"
        audit.record(tag, by=by, domain=row.domain, data={"member": user.email, "role": row.role})
    elif row in unvouched:
        record_ended([row], by=by)
    else:
        row.record("member.invitation_revoked", by=by)
