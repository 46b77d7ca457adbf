"""How people become members of domains and stop being it.

Each change holds the rows of its domains (DomainQuerySet.hold), so that of two owners who
demote or remove each other at once one stays. Events come last, by domain (audit/locks.py).
"""

from itertools import chain
from operator import attrgetter
from uuid import uuid4

from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone

import audit
from accounts import emails as letters
from accounts.models import User
from domains import notifications
from domains.models import Domain, Membership
from domains.models.invitation import LASTS, Invitation, key_of, write_letter
from domains.roles import Role


class LastOwner(Exception):
    """Nobody else who can sign in owns the domain."""


class NotInvited(Exception):
    """The link invites nobody: used, revoked, too old, its inviter gone, or its domains deleted."""


@transaction.atomic
def invite(domains, emails, role, *, by) -> int:
    """Invite each address (in lower case) to all domains; return the number of letters.

    An address gets one letter for all of them. Where it is a member, or invited, it stays so.
    A domain that is deleted meanwhile, or that the inviter does not own any more, is left out.
    Raises Domain.DoesNotExist when all are.
    """
    held = list(Domain.objects.filter(pk__in=[domain.pk for domain in domains]).held())
    held = Domain.objects.owned_by(by.user).in_bulk([domain.pk for domain in held])
    if not held:
        raise Domain.DoesNotExist
    domains = [held[domain.pk] for domain in domains if domain.pk in held]
    Invitation.objects.filter(domain__in=domains, email__in=emails).dead().delete()
    taken = _taken(domains, emails)
    free = {email: [domain for domain in domains if (domain.pk, email) not in taken] for email in emails}
    sent = [_send(email, free[email], role, by=by) for email in filter(free.get, emails)]
    for invitation in sorted(chain.from_iterable(sent), key=attrgetter("domain_id")):
        invitation.record("member.invited", by=by)
    return len(sent)


def _send(email, domains, role, *, by) -> list[Invitation]:
    sending = {"key": uuid4(), "expires_at": timezone.now() + LASTS, "invited_by": by.user}
    invitations = [Invitation(email=email, role=role, domain=domain, **sending) for domain in domains]
    write_letter(Invitation.objects.bulk_create(invitations), by=by)
    return invitations


def _taken(domains, emails) -> set:
    """(domain's pk, address) of those who are members or invited already."""
    members = Membership.objects.annotate(email=Lower("user__email"))
    return {
        pair
        for rows in (members, Invitation.objects)
        for pair in rows.filter(domain__in=domains, email__in=emails).values_list("domain_id", "email")
    }


@transaction.atomic
def accept(token, user, *, by) -> list[Domain]:
    """Make a person a member of what a link invites to; return the domains. Raises NotInvited.

    Whoever is a member already keeps the role when it is the higher one.
    """
    invitations = _take(token)
    roles = dict(
        user.memberships.filter(domain__in=[each.domain for each in invitations]).values_list("domain", "role")
    )
    joined = [_join(invitation, user, roles.get(invitation.domain_id), by=by) for invitation in invitations]
    for domain, tag, data in sorted(filter(None, joined), key=lambda event: event[0].pk):
        audit.record(tag, by=by, domain=domain, data={"member": user.email} | data)
    return [invitation.domain for invitation in invitations]


def _join(invitation, user, was, *, by) -> tuple[Domain, str, dict] | None:
    """Make it so; return what its event tells, None when nothing changes."""
    domain, role = invitation.domain, Role(invitation.role)
    if was is None:
        # Before they may be an owner, who would be told as well.
        tell_of(user.email, domain, role, by=by)
        domain.memberships.create(user=user, role=role)
        return domain, "member.joined", {"role": role}
    if not role.is_above(was):
        return None
    domain.memberships.filter(user=user).update(role=role)
    return domain, "member.role_changed", {"role": role, "was": was}


def tell_of(email, domain, role, *, by):
    """Tell the owners of somebody new."""
    link, label = ("domains:members", domain.name), Role(role).label.lower()
    notifications.notify_owners(domain, "members", "new_member", link=link, member=email, role=label, by=by)


@transaction.atomic
def decline(token, *, by):
    """Let go what a link invites to. Raises NotInvited."""
    for invitation in sorted(_take(token), key=attrgetter("domain_id")):
        audit.record("member.declined", by=by, domain=invitation.domain, data={"member": invitation.email})


def hold(token):
    """Lock what a link invites to until the transaction ends, before the person is (audit/locks.py)."""
    Domain.objects.hold(*Invitation.objects.of_token(token).values_list("domain", flat=True))
    invitations = Invitation.objects.filter(key=key_of(token)).order_by("pk")
    list(invitations.select_for_update().values_list("pk"))


def _take(token) -> list[Invitation]:
    """Use up the invitations of a link: of two uses at once the second finds none. Raises NotInvited."""
    hold(token)
    invitations = list(Invitation.objects.of_token(token))
    used, _ = Invitation.objects.filter(pk__in=[each.pk for each in invitations], key=key_of(token)).delete()
    if not used:
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
    ended = membership.domain.invitations.take_unvouched()
    data = {"member": membership.user.email, "role": role, "was": was}
    audit.record("member.role_changed", by=by, domain=membership.domain, data=data)
    _record_ended(ended, by=by)


@transaction.atomic
def remove(membership, *, by):
    """End a membership; whoever ends their own leaves. Raises LastOwner, Membership.DoesNotExist."""
    membership = _held(membership)
    _keep_an_owner(membership)
    domain, person = membership.domain, membership.user
    membership.delete()
    forget_invitations(domain, person.email)
    ended = domain.invitations.take_unvouched()
    tag = "member.left" if person == by.user else "member.removed"
    audit.record(tag, by=by, domain=domain, data={"member": person.email, "role": membership.role})
    _record_ended(ended, by=by)


def forget_invitations(domain, email):
    """A link that was never used must not lead back in whoever is removed."""
    domain.invitations.filter(email=email.lower()).delete()


@transaction.atomic
def transfer(membership, *, by):
    """Make a member the owner and the actor a manager. Raises Membership.DoesNotExist."""
    to = _held(membership)
    if not User.objects.can_sign_in().filter(pk=to.user_id).exists():
        raise Membership.DoesNotExist
    mine = to.domain.memberships.get(user=by.user, role=Role.OWNER)
    Membership.objects.filter(pk=to.pk).update(role=Role.OWNER)
    Membership.objects.filter(pk=mine.pk).update(role=Role.MANAGER)
    ended = to.domain.invitations.take_unvouched()
    data = {"member": to.user.email, "was": to.role}
    audit.record("domain.transferred", by=by, domain=to.domain, data=data)
    _record_ended(ended, by=by)
    link = ("domains:settings", to.domain.name)
    letters.write("transferred", to.user.email, link=link, domain=to.domain, by=by)


@transaction.atomic
def make_owner(domain, user, *, by) -> bool:
    """Make a person an owner, a member or not, where no owner is left who could; False when they are one.

    Only for the operator. All owners are told, whatever they want to hear of: nobody of them did it.
    Raises Domain.DoesNotExist.
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
        letters.write("made_owner", email, link=link, domain=domain, member=user.email)
    return True


def _record_ended(invitations, *, by):
    for invitation in invitations:
        invitation.record_ended(by=by)


def _held(membership) -> Membership:
    """The membership as it is now, and until this transaction ends."""
    Domain.objects.hold(membership.domain_id)
    return Membership.objects.select_related("user", "domain").get(pk=membership.pk)


def _keep_an_owner(membership):
    if membership.role != Role.OWNER:
        return
    others = Membership.objects.filter(domain=membership.domain_id, role=Role.OWNER).who_can_sign_in()
    if not others.exclude(pk=membership.pk).exists():
        raise LastOwner
