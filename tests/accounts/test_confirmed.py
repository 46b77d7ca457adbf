"""A user with an unconfirmed address can't sign in and gets no access."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from domains import notifications
from domains.members import actions as members
from tests.accounts import openid_visits
from tests.factories import PASSWORD, SYSTEM, make_claim, make_domain, make_invitation, make_user
from tests.http import delivered, sign_in, text

pytestmark = pytest.mark.django_db
EMAIL = "victim@example.com"
NEW = {"password1": "a new long password", "password2": "a new long password"}
WAITS = "/account/confirm-email/"
ANSWER = {"credential": '{"of": "the browser"}'}


@pytest.fixture
def claim():
    """An account that a stranger made with the address of another person."""
    return make_claim(EMAIL)


def by_password(client, password=PASSWORD):
    return client.post("/login/", {"login": EMAIL, "password": password})


def is_signed_in(client):
    return client.get("/domains/").status_code == 200


def mailed(path) -> str:
    """Return the newest mailed link to this kind of page."""
    return re.findall(rf"http://127.0.0.1:8000({path}[^\s]+)", delivered()[-1].body)[-1]


def choose_by_mail(client):
    """Choose a new password by the mailed link."""
    client.post("/account/password/reset/", {"email": EMAIL})
    form = client.get(mailed("/account/password/reset/key/"), follow=True).redirect_chain[-1][0]
    return client.post(form, NEW)


class TestSigningIn:
    def test_unconfirmed_user_stays_out_after_sign_up_is_closed(self, client, settings):
        settings.SIGNUP_OPEN = True
        form = {"email": EMAIL, "password1": PASSWORD, "password2": PASSWORD}
        assert client.post("/signup/", form)["Location"] == WAITS
        settings.SIGNUP_OPEN = False
        for visitor in (client, Client()):
            assert by_password(visitor)["Location"] == WAITS
            assert not is_signed_in(visitor)
        assert User.objects.get().last_login is None

    def test_unconfirmed_user_gets_instructions_and_signs_in_after_the_link(self, client, claim):
        page = text(client.get(by_password(client)["Location"]))
        assert "open it, then" in page and "to get a new link" in page
        (letter,) = delivered()
        assert letter.to == [EMAIL]
        client.post(mailed("/account/confirm-email/"))
        assert by_password(client)["Location"] == "/" and is_signed_in(client)

    def test_wrong_password_of_an_unconfirmed_account_reveals_nothing(self, client, claim):
        pages = []
        for email in (EMAIL, "nobody@example.com"):
            answer = text(client.post("/login/", {"login": email, "password": "wrong-wrong"}))
            pages.append(re.sub(r'value="[^"]*"', "", answer))
        assert pages[0] == pages[1] and not delivered()

    def test_passkey_of_an_unconfirmed_account_does_not_sign_in(self, client, claim, monkeypatch):
        passkey = Authenticator.objects.create(user=claim, type="webauthn", data={})
        # Stands for the browser, which proves that it has the key.
        monkeypatch.setattr("accounts.two_factor._PasskeyForm.clean_credential", lambda form: passkey)
        answer = client.post("/account/two-factor/webauthn/login/", ANSWER)
        assert answer["Location"] == WAITS and not is_signed_in(client)
        claim.confirm()
        client.post("/account/two-factor/webauthn/login/", ANSWER)
        assert is_signed_in(client)

    def test_provider_link_of_an_unconfirmed_account_does_not_sign_in(self, client, claim, provider):
        SocialAccount.objects.create(user=claim, provider=provider.issuer, uid="person-1")
        assert openid_visits.sign_in(client)["Location"] == WAITS and not is_signed_in(client)

    def test_provider_that_confirms_the_address_locks_the_claimer_out(self, client, claim, provider):
        Authenticator.objects.create(user=claim, type="webauthn", data={})
        provider.person["email"] = EMAIL
        openid_visits.sign_in(client)
        assert is_signed_in(client)
        claim.refresh_from_db()
        assert claim.is_confirmed and not claim.has_usable_password()
        assert not Authenticator.objects.exists() and by_password(Client()).status_code == 200

    def test_reset_link_confirms_the_address_and_locks_the_claimer_out(self, client, claim):
        Authenticator.objects.create(user=claim, type="webauthn", data={})
        SocialAccount.objects.create(user=claim, provider="https://login.example", uid="x")
        claimers = sign_in(Client(), claim)
        choose_by_mail(client)
        assert not is_signed_in(claimers) and by_password(Client()).status_code == 200
        assert not Authenticator.objects.exists() and not SocialAccount.objects.exists()
        assert by_password(client, NEW["password1"])["Location"] == "/" and is_signed_in(client)

    def test_reset_of_a_confirmed_account_keeps_its_passkeys_and_links(self, client):
        user = make_user(EMAIL)
        Authenticator.objects.create(user=user, type="webauthn", data={})
        choose_by_mail(client)
        assert Authenticator.objects.filter(user=user).exists()

    def test_account_made_by_an_operator_signs_in_immediately(self, client):
        user = User.objects.create_superuser(EMAIL, PASSWORD)
        assert by_password(client)["Location"] == "/admin/" and is_signed_in(client)
        assert EmailAddress.objects.filter(user=user, email=EMAIL, verified=True, primary=True).exists()

    def test_user_added_in_the_admin_signs_in_after_the_mailed_link(self, client):
        root = sign_in(Client(), make_user("root@example.com", is_staff=True, is_superuser=True))
        root.post("/admin/accounts/user/add/", {"email": EMAIL, "name": ""})
        assert not User.objects.get(email=EMAIL).is_confirmed
        choose_by_mail(client)
        assert by_password(client, NEW["password1"])["Location"] == "/" and is_signed_in(client)


class TestBeingGiven:
    def test_support_can_not_make_an_unconfirmed_user_a_member(self, claim, domain, alice):
        root = sign_in(Client(), make_user("root@example.com", is_staff=True, is_superuser=True))
        rows = list(domain.memberships.order_by("pk"))
        fields = {"reason": "asked", "memberships-TOTAL_FORMS": 3, "memberships-INITIAL_FORMS": 2}
        fields |= {"dns_records-TOTAL_FORMS": 0, "dns_records-INITIAL_FORMS": 0}
        for number, row in enumerate(rows):
            known = {"id": row.pk, "email": row.user.email, "role": row.role, "domain": domain.pk}
            fields |= {f"memberships-{number}-{name}": value for name, value in known.items()}
        new = {"email": EMAIL, "role": "viewer", "domain": domain.pk}
        fields |= {f"memberships-2-{name}": value for name, value in new.items()}
        path = f"/admin/domains/domain/{domain.pk}/change/"
        page = text(root.post(path, fields))
        assert "has not confirmed this address yet" in page and domain.memberships.count() == 2
        claim.confirm()
        assert root.post(path, fields).status_code == 302 and domain.memberships.count() == 3

    def test_command_gives_an_unconfirmed_user_no_domain(self, claim):
        with pytest.raises(CommandError, match="has not confirmed this address yet"):
            call_command("authorize_domain", "sl.example.com", "--owner", EMAIL)
        assert not claim.memberships.exists()

    def test_owner_can_not_promote_an_unconfirmed_user_or_transfer_the_domain(self, as_alice, domain, claim):
        member = domain.memberships.create(user=claim, role="viewer")
        role = f"/domains/sl.example.com/settings/members/{member.public_id}/role/"
        assert "has not confirmed this address yet" in text(as_alice.post(role, {"role": "owner"}))
        transfer = "/domains/sl.example.com/settings/transfer/"
        assert EMAIL not in text(as_alice.get(transfer))
        assert as_alice.post(transfer, {"member": member.public_id}).status_code == 422
        member.refresh_from_db()
        assert member.role == "viewer"

    def test_unconfirmed_owner_does_not_count_as_one_who_can_sign_in(self, domain, alice, claim):
        domain.memberships.create(user=claim, role="owner")
        with pytest.raises(members.LastOwner):
            members.remove(domain.memberships.get(user=alice), by=SYSTEM)

    def test_unconfirmed_owner_gets_no_domain_email(self, domain, alice, claim):
        domain.memberships.create(user=claim, role="owner")
        notifications.notify_owners(
            domain, "members", "new_member", link=("credentials:domains",), member="x", role="y", by=SYSTEM
        )
        assert [letter.to for letter in delivered()] == [[alice.email]]


class TestInvitations:
    @pytest.fixture
    def link(self, domain):
        from domains.models.invitation import make_token

        return f"/invitations/key/{make_token(make_invitation(domain, EMAIL).key)}/"

    def test_invitation_link_proves_the_address_and_locks_the_claimer_out(self, client, claim, domain, link):
        Authenticator.objects.create(user=claim, type="webauthn", data={})
        assert "Create account and accept" in text(client.get(link))
        answer = client.post(f"{link}join/", NEW | {"name": "Vera"})
        assert answer["Location"] == "/domains/sl.example.com/" and is_signed_in(client)
        claim.refresh_from_db()
        assert (claim.name, claim.is_confirmed) == ("Vera", True)
        assert domain.memberships.get(user=claim).role == "viewer"
        assert by_password(Client()).status_code == 200 and not Authenticator.objects.exists()

    def test_invitation_link_never_takes_over_a_confirmed_account(
        self, client, claim, domain, link, monkeypatch
    ):
        check = User.is_confirmed.fget
        confirmed = iter([False])  # confirmed between the check and the act
        monkeypatch.setattr(User, "is_confirmed", property(lambda user: next(confirmed, None) or check(user)))
        claim.confirm()
        assert client.post(f"{link}join/", NEW)["Location"] == link
        claim.refresh_from_db()
        assert claim.check_password(PASSWORD) and not domain.memberships.filter(user=claim).exists()

    def test_invitation_of_a_deactivated_user_is_gone(self, client, claim, link):
        User.objects.filter(pk=claim.pk).update(is_active=False)
        assert client.get(link).status_code == client.post(f"{link}join/", NEW).status_code == 410


def test_get_confirmed_refuses_an_unconfirmed_user(claim):
    with pytest.raises(User.NotConfirmed):
        User.objects.get_confirmed(EMAIL.upper())
    assert User.objects.get_confirmed(make_domain().members.get().email)
