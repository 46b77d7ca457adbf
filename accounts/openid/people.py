"""Which user a provider's identity lets in: the linked one, or the owner of its confirmed e-mail."""

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base.constants import AuthError
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

import audit
from accounts import openid
from accounts.models import User
from accounts.openid.problems import Problem, ProviderFailed
from audit.actor import Actor
from web.client_ip import client_ip


class SocialAdapter(DefaultSocialAccountAdapter):
    """Sign-in by a provider under this project's rules instead of allauth's own."""

    def get_requests_session(self):
        session = super().get_requests_session()
        session.max_redirects = 0  # a redirect could send the secret elsewhere, or without TLS
        return session

    def is_open_for_signup(self, request, sociallogin):
        return False  # pre_social_login makes the accounts

    def populate_user(self, request, sociallogin, data):
        sociallogin.user.name = data.get("name", "")
        return sociallogin.user

    def pre_social_login(self, request, sociallogin):
        """Set the user of the sign-in. Raises Problem where there is none."""
        if not constant_time_compare(sociallogin.nonce or "", sociallogin.state["nonce"]):
            raise ProviderFailed("the ID token does not belong to this sign-in (nonce)")
        if not sociallogin.is_existing:
            sociallogin.account = link(request, sociallogin)
            sociallogin.user = sociallogin.account.user
        _refuse_deactivated(sociallogin.user)

    def on_authentication_error(self, request, provider, error=None, exception=None, extra_context=None):
        if "state" not in extra_context:
            text = (
                "This sign-in was started more than 10 minutes ago or in another browser, or it "
                "has already been used."
            )
            raise Problem("Start again", text, detail="unknown state", status=400)
        if error == AuthError.CANCELLED:
            text = f"You cancelled at {openid.name()}, or it doesn't allow you to sign in here."
            raise Problem("Sign-in was cancelled", text, detail="access_denied")
        cause = getattr(exception, "__cause__", None) or exception
        answer = request.GET.get("error", "without a code")
        raise ProviderFailed(f"{type(cause).__name__}: {cause}" if cause else f"it answered {answer!r}")


def link(request, sociallogin) -> SocialAccount:
    """Link a new identity permanently to the user with its e-mail.

    Makes the account where OIDC_SIGNUP allows it. Raises Problem.
    """
    email = _confirmed_email(sociallogin)
    uid, issuer = sociallogin.account.uid, sociallogin.account.provider
    with transaction.atomic():
        user, is_new = _user_of(email, sociallogin.user.name)
        _refuse_deactivated(user)
        _shut_out_claimer(user)
        account, is_linked_now = SocialAccount.objects.get_or_create(
            user=user, provider=issuer, defaults={"uid": uid}
        )
        if account.uid != uid:
            raise _linked_to_another(user)
        if is_linked_now:
            if not is_new:
                _notify(request, user)
            tag = "account.added_by_openid" if is_new else "account.linked_to_openid"
            by = Actor.of(request, user)
            audit.record(tag, by=by, data={"user": user.email, "issuer": issuer, "sub": uid})
    return account


def _confirmed_email(sociallogin) -> str:
    addresses = sociallogin.email_addresses
    if not addresses or not addresses[0].verified:
        raise Problem(
            "Your e-mail isn't confirmed",
            f"Your provider didn't confirm your e-mail. Confirm it at {openid.name()}, then sign in again.",
            detail="the provider gave no usable e-mail with email_verified: true (see OIDC_TRUST_EMAIL)",
        )
    return User.objects.normalize_email(addresses[0].email)


def _user_of(email, name) -> tuple[User, bool]:
    """Return the user with this e-mail, row locked, and whether the account is new.

    Only the login address counts: a pending change of address may name any address.
    """
    users = User.objects.select_for_update(no_key=True)
    user = users.filter(email=email).first()
    if user or not settings.OIDC_SIGNUP:
        return user or _refuse_stranger(email), False
    user, is_new = users.get_or_create(email=email, defaults={"name": name, "password": make_password(None)})
    if is_new:
        user.confirm()
    return user, is_new


def _refuse_stranger(email):
    raise Problem(
        "You have no account here",
        f"No one on this server signs in as {email}. Ask a colleague or the operator for an invitation.",
        detail=f"no user signs in as {email!r}, and OIDC_SIGNUP is off",
    )


def _refuse_deactivated(user):
    if not user.is_active:
        raise ImmediateHttpResponse(redirect("account_inactive"))


def _linked_to_another(user) -> Problem:
    """The address belongs to another person at the provider now, or to the same one with a new account."""
    return Problem(
        "This account is linked to another sign-in",
        f"{user.email} is linked to someone else at {openid.name()}. If that was you, "
        "ask the operator of this server to remove the link.",
        detail=f"another sub is linked; `manage.py unlink_openid {user.email}` removes the link",
    )


def _shut_out_claimer(user):
    """Take an account whose address was never confirmed from the user who signed up with it.

    They could have used another person's address and waited for the owner to come.
    """
    if user.is_confirmed:
        return
    if user.last_login:
        raise Problem(
            "Confirm your e-mail here first",
            f"{user.email} was never confirmed on this server. "
            "Choose a new password by e-mail, which confirms it, then sign in again.",
            detail=f"{user.email} is in use without ever having been confirmed",
        )
    user.set_unusable_password()
    user.save(update_fields=["password"])
    user.hand_over()


def _notify(request, user):
    """E-mail the user that the provider can open their account from now on."""
    context = {"provider": openid.name(), "ip": client_ip(request) or "unknown"}
    get_account_adapter(request).send_mail("socialaccount/email/account_connected", user.email, context)
