"""Inviting, joining, changing and removing members of domains.

Each act holds its domains (DomainQuerySet.hold), so that when two owners demote or remove each other
concurrently, one remains. Events come last, ordered by domain (audit/locks.py).
"""

from itertools import chain
from operator import attrgetter
from uuid import uuid4

from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone

import audit
from accounts import emails
from accounts.models import User
from domains import notifications
from domains.models import Domain, Membership
from domains.models.invitation import VALID_FOR, Invitation, read_token, send_email
from domains.roles import Role


class LastOwner(Exception):
    """No other owner of the domain can sign in."""


class NotInvited(Exception):
    """The link is used, revoked, too old or forged, its inviter gone, or its domains deleted."""


@transaction.atomic
def invite(domains, addresses, role, *, by) -> list[Invitation]:
    """Invite each address (in lower case) to all domains; return one invitation for each e-mail.

    An address gets one e-mail for all of them, and none for a domain that it is a member of or invited to.
    Domains that were deleted in the meantime, or that the inviter no longer owns, are left out.
    Raises Domain.DoesNotExist when none is left.
    """
    held = list(Domain.objects.filter(pk__in=[domain.pk for domain in domains]).held())
    held = Domain.objects.owned_by(by.user).in_bulk([domain.pk for domain in held])
    if not held:
        raise Domain.DoesNotExist
    domains = [held[domain.pk] for domain in domains if domain.pk in held]
    Invitation.objects.filter(domain__in=domains, email__in=addresses).not_live().delete()
    taken = _taken(domains, addresses)
    free = {email: [domain for domain in domains if (domain.pk, email) not in taken] for email in addresses}
    sent = [_send(email, free[email], role, by=by) for email in filter(free.get, addresses)]
    for invitation in sorted(chain.from_iterable(sent), key=attrgetter("domain_id")):
        invitation.record_given("member.invited", by=by)
    return [invitations[0] for invitations in sent]


def _send(email, domains, role, *, by) -> list[Invitation]:
    shared = {"key": uuid4(), "expires_at": timezone.now() + VALID_FOR, "invited_by": by.user}
    invitations = [Invitation(email=email, role=role, domain=domain, **shared) for domain in domains]
    send_email(Invitation.objects.bulk_create(invitations), by=by)
    return invitations


def _taken(domains, addresses) -> set:
    """Return the pairs (domain's pk, address) of members and of invitations."""
    members = Membership.objects.annotate(email=Lower("user__email"))
    return {
        pair
        for rows in (members, Invitation.objects)
        for pair in rows.filter(domain__in=domains, email__in=addresses).values_list("domain_id", "email")
    }


@transaction.atomic
def accept(token, user, *, by) -> list[Domain]:
    """Make a user a member of the domains that a link invites to; return those. Raises NotInvited.

    A user who is a member already gets the new role only if it is higher.
    """
    invitations = _take(token)
    domains = [invitation.domain for invitation in invitations]
    roles = dict(user.memberships.filter(domain__in=domains).values_list("domain", "role"))
    joined = [_join(invitation, user, roles.get(invitation.domain_id), by=by) for invitation in invitations]
    for domain, tag, data in sorted(filter(None, joined), key=lambda event: event[0].pk):
        audit.record(tag, by=by, domain=domain, data={"member": user.email} | data)
    return domains


def _join(invitation, user, was, *, by) -> tuple[Domain, str, dict] | None:
    """Accept one invitation; return the domain, tag and data of its event, or None if nothing changes."""
    domain, role = invitation.domain, Role(invitation.role)
    if was is None:
        # Before they may become an owner, who would be notified as well.
        notify_of_new_member(user.email, domain, role, by=by)
        domain.memberships.create(user=user, role=role)
        return domain, "member.joined", {"role": role}
    if not role.is_above(was):
        return None
    domain.memberships.filter(user=user).update(role=role)
    return domain, "member.role_changed", {"role": role, "was": was}


def notify_of_new_member(email, domain, role, *, by):
    """Notify the owners of a domain."""
    link, label = ("domains:members", domain.name), Role(role).label.lower()
    notifications.notify_owners(domain, "members", "new_member", link=link, member=email, role=label, by=by)


@transaction.atomic
def decline(token, *, by):
    """Decline the invitations of a link. Raises NotInvited."""
    for invitation in sorted(_take(token), key=attrgetter("domain_id")):
        audit.record("member.declined", by=by, domain=invitation.domain, data={"member": invitation.email})


def hold(token):
    """Lock the domains and invitations of a link, before the user is locked (audit/locks.py)."""
    Domain.objects.hold(*Invitation.objects.of_token(token).values_list("domain", flat=True))
    invitations = Invitation.objects.filter(key=read_token(token)).order_by("pk")
    list(invitations.select_for_update().values_list("pk"))


def _take(token) -> list[Invitation]:
    """Delete and return the invitations of a link: a second, concurrent use finds none. Raises NotInvited."""
    hold(token)
    invitations = list(Invitation.objects.of_token(token))
    keys = [invitation.pk for invitation in invitations]
    deleted, _ = Invitation.objects.filter(pk__in=keys, key=read_token(token)).delete()
    if not deleted:
        raise NotInvited
    return invitations


@transaction.atomic
def change_role(membership, role, *, by):
    """Give a member another role. Raises LastOwner, User.NotConfirmed, Membership.DoesNotExist."""
    membership = _held(membership)
    was = membership.role
    if was == role:
        return
    if Role(role).is_above(was) and not membership.user.is_confirmed:
        raise User.NotConfirmed(membership.user)
    _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    ended = membership.domain.invitations.delete_unvouched()
    data = {"member": membership.user.email, "role": role, "was": was}
    audit.record("member.role_changed", by=by, domain=membership.domain, data=data)
    _record_ended(ended, by=by)


@transaction.atomic
def remove(membership, *, by):
    """End a membership; an actor who ends their own leaves. Raises LastOwner, Membership.DoesNotExist."""
    membership = _held(membership)
    _keep_an_owner(membership)
    domain, user = membership.domain, membership.user
    membership.delete()
    delete_invitations(domain, user.email)
    ended = domain.invitations.delete_unvouched()
    tag = "member.left" if user == by.user else "member.removed"
    audit.record(tag, by=by, domain=domain, data={"member": user.email, "role": membership.role})
    _record_ended(ended, by=by)


def delete_invitations(domain, email):
    """Delete the invitations of a removed member: an unused link must not let them back in."""
    domain.invitations.filter(email=email.lower()).delete()


@transaction.atomic
def transfer(membership, *, by):
    """Make a member the owner and the actor a manager. Raises Membership.DoesNotExist."""
    membership = _held(membership)
    domain, user = membership.domain, membership.user
    if not User.objects.can_sign_in().filter(pk=user.pk).exists():
        raise Membership.DoesNotExist
    own = domain.memberships.get(user=by.user, role=Role.OWNER)
    Membership.objects.filter(pk=membership.pk).update(role=Role.OWNER)
    Membership.objects.filter(pk=own.pk).update(role=Role.MANAGER)
    ended = domain.invitations.delete_unvouched()
    data = {"member": user.email, "was": membership.role}
    audit.record("domain.transferred", by=by, domain=domain, data=data)
    _record_ended(ended, by=by)
    emails.write("transferred", user.email, link=("domains:settings", domain.name), domain=domain, by=by)


@transaction.atomic
def make_owner(domain, user, *, by) -> bool:
    """Make a user, whether a member or not, an owner; return False when they are one.

    Only for the operator, when no owner can do it. All owners are notified, whatever they subscribed to, since
    none of them did it. Raises Domain.DoesNotExist.
    """
    domain = Domain.objects.filter(pk=domain.pk).held().get()
    was = domain.memberships.filter(user=user).values_list("role", flat=True).first()
    if was == Role.OWNER:
        return False
    domain.memberships.update_or_create(user=user, defaults={"role": Role.OWNER})
    data = {"member": user.email, "role": Role.OWNER} | ({"was": was} if was else {})
    audit.record("member.made_owner", by=by, domain=domain, data=data)
    owners = domain.memberships.filter(role=Role.OWNER, user__is_active=True)
    for email in owners.values_list("user__email", flat=True):
        link = ("domains:members", domain.name)
        emails.write("made_owner", email, link=link, domain=domain, member=user.email)
    return True


def _record_ended(invitations, *, by):
    for invitation in invitations:
        invitation.record_ended(by=by)


def _held(membership) -> Membership:
    """Return the membership as it is now, and stays until the transaction ends."""
    Domain.objects.hold(membership.domain_id)
    return Membership.objects.select_related("user", "domain").get(pk=membership.pk)


def _keep_an_owner(membership):
    if membership.role != Role.OWNER:
        return
    others = Membership.objects.filter(domain=membership.domain_id, role=Role.OWNER).with_sign_in()
    if not others.exclude(pk=membership.pk).exists():
        raise LastOwner
