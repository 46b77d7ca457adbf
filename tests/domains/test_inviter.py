"""An invitation ends when its inviter can no longer grant the role, however that happens."""

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Event
from domains.access import ALLOWED, Permission
from domains.activity.sentences import sentence
from domains.models import Membership
from domains.models.invitation import Invitation, make_token
from domains.roles import Role
from tests.domains.inviting import URL, invite, link_in
from tests.factories import make_domain, make_invitation, make_user
from tests.http import delivered, sign_in, text

pytestmark = pytest.mark.django_db
NEW = {"name": "Nina", "password1": "a-very-long-one", "password2": "a-very-long-one"}
INVITED = "friend@example.org"


@pytest.fixture
def olga(second_owner):
    return second_owner


@pytest.fixture
def link(domain, olga):
    """The link of Olga, an owner, that makes a friend an owner."""
    invite(sign_in(Client(), olga), INVITED, "owner")
    return link_in(delivered()[-1])


def row_of(user, act):
    return f"{URL}{Membership.objects.get(user=user, domain__name='sl.example.com').public_id}/{act}/"


def removed(as_alice, olga):
    return as_alice.post(row_of(olga, "remove"))


def demoted(as_alice, olga):
    return as_alice.post(row_of(olga, "role"), {"role": "manager"})


def leaves(as_alice, olga):
    return sign_in(Client(), olga).post(f"{URL}leave/")


def hands_over(as_alice, olga):
    to = Membership.objects.get(user__email="bob@example.com").public_id
    return sign_in(Client(), olga).post("/domains/sl.example.com/settings/transfer/", {"member": to})


def deactivated(as_alice, olga):
    root = sign_in(Client(), make_user("root@example.com", is_staff=True, is_superuser=True))
    return root.post(f"/admin/accounts/user/{olga.pk}/change/", {"email": olga.email, "name": ""})


def changed_by_support(as_alice, olga):
    root = sign_in(Client(), make_user("root@example.com", is_staff=True, is_superuser=True))
    rows = list(Membership.objects.filter(domain__name="sl.example.com").order_by("pk"))
    fields = {"reason": "asked", "memberships-TOTAL_FORMS": 3, "memberships-INITIAL_FORMS": 3}
    fields |= {"dns_records-TOTAL_FORMS": 0, "dns_records-INITIAL_FORMS": 0}
    for number, row in enumerate(rows):
        role = "viewer" if row.user == olga else row.role
        known = {"id": row.pk, "email": row.user.email, "role": role, "domain": row.domain_id}
        fields |= {f"memberships-{number}-{name}": value for name, value in known.items()}
    return root.post(f"/admin/domains/domain/{rows[0].domain_id}/change/", fields)


WAYS = [removed, demoted, leaves, hands_over, deactivated, changed_by_support]


@pytest.mark.parametrize("loses_it", WAYS)
def test_invitation_ends_when_inviter_can_no_longer_grant_role(as_alice, domain, olga, link, loses_it):
    make_invitation(domain, "by-alice@example.org")
    assert loses_it(as_alice, olga).status_code == 302
    assert Client().get(link).status_code == Client().post(f"{link}join/", NEW).status_code == 410
    assert not User.objects.filter(email=INVITED).exists()
    page = text(as_alice.get(URL))
    assert INVITED not in page and "by-alice@example.org" in page
    event = Event.objects.get(tag="member.invitation_ended")
    assert event.data == {"member": INVITED, "role": "owner", "inviter": "olga@example.com"}
    assert sentence(event) == (
        "ended the invitation to friend@example.org, as olga@example.com can no longer invite"
    )


def test_ended_invitation_cannot_be_accepted_with_account(as_alice, domain, olga, link):
    friend = sign_in(Client(), make_user(INVITED))
    assert "Accept" in text(friend.get(link))
    removed(as_alice, olga)
    assert friend.post(f"{link}accept/").status_code == 410
    assert not Membership.objects.filter(user__email=INVITED).exists()


@pytest.mark.parametrize(
    "unnoticed",
    [
        lambda olga: Membership.objects.filter(user=olga).delete(),
        lambda olga: Membership.objects.filter(user=olga).update(role="manager"),
        lambda olga: User.objects.filter(pk=olga.pk).update(is_active=False),
        lambda olga: olga.emailaddress_set.update(verified=False),
        lambda olga: olga.delete(),
    ],
)
def test_unvouched_invitation_is_invalid_and_hidden_even_without_an_act(
    as_alice, domain, olga, link, unnoticed
):
    invitation = Invitation.objects.get()
    unnoticed(olga)
    assert Client().get(link).status_code == Client().post(f"{link}join/", NEW).status_code == 410
    assert INVITED not in text(as_alice.get(URL))
    assert as_alice.post(f"{URL}invitations/{invitation.public_id}/resend/").status_code == 404
    # Another owner can invite the address again.
    assert invite(as_alice, INVITED).status_code == 302
    assert Invitation.objects.get().invited_by.email == "alice@example.com"


def test_link_still_works_for_domains_whose_inviter_remains_owner(as_alice, domain, olga):
    other = make_domain("other.example.com", owner=olga)
    invite(sign_in(Client(), olga), INVITED, "owner", also=[other.name])
    link = link_in(delivered()[-1])
    removed(as_alice, olga)
    friend = sign_in(Client(), make_user(INVITED))
    assert "sl.example.com" not in text(friend.get(link))
    friend.post(f"{link}accept/")
    joined = Membership.objects.filter(user__email=INVITED).values_list("domain__name", "role")
    assert list(joined) == [("other.example.com", "owner")]


def test_user_who_resends_invitation_vouches_for_it(as_alice, domain, olga, link):
    invitation = Invitation.objects.get()
    as_alice.post(f"{URL}invitations/{invitation.public_id}/resend/")
    again = link_in(delivered()[-1])
    assert removed(as_alice, olga).status_code == 302
    page = text(Client().get(again))
    assert "alice@example.com" in page and "Create account and accept" in page
    assert not Event.objects.filter(tag="member.invitation_ended").exists()


def test_invitations_stay_when_inviter_remains_owner(as_alice, bob, domain, olga, link):
    as_alice.post(row_of(bob, "role"), {"role": "manager"})
    as_alice.post(row_of(bob, "remove"))
    assert Client().get(link).status_code == 200


def test_inviter_demoted_during_request_invites_nobody(domain, olga, monkeypatch):
    from domains.members import views as member_views

    client, allowed = sign_in(Client(), olga), member_views.may_invite

    def demote(request, emails):
        Membership.objects.filter(user=olga).update(role="viewer")
        return allowed(request, emails)

    monkeypatch.setattr(member_views, "may_invite", demote)
    assert invite(client, INVITED, "owner").status_code == 404
    assert not Invitation.objects.exists() and not delivered()


def test_only_owners_can_invite():
    """InvitationQuerySet.vouched relies on this."""
    assert [role for role in Role if Permission.MANAGE_MEMBERS in ALLOWED[role]] == [Role.OWNER]
    assert Role.OWNER.grantable() == list(Role)


def test_fresh_token_does_not_revive_invitation_of_demoted_inviter(domain, bob):
    """A restored database may hold one that was sent by a user who is not an owner."""
    invitation = make_invitation(domain, INVITED, "owner", by=bob)
    assert Client().get(f"/invitations/key/{make_token(invitation.key)}/").status_code == 410
