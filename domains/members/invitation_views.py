"""The e-mailed link of an invitation. GET asks; accepting, declining and joining are POSTs."""

from functools import wraps

from allauth.account.models import Login
from allauth.decorators import rate_limit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts import openid
from accounts.allauth_internals import perform_password_login
from accounts.models import User
from audit.actor import Actor
from domains.members import actions
from domains.members.join_form import JoinForm, save
from domains.models.invitation import Invitation
from domains.roles import Role


def of_link(view):
    """Decorate a view of an invitation's link: it gets (request, token, invitations, state).

    `state` is "theirs", "others" (signed in as somebody else), "known" (signed out, with an account) or "new"
    (without an account, or with one whose address was never confirmed: the link proves it). A link that is
    used, revoked, too old or forged, or whose user is disabled, always gets the same response.
    """

    @login_not_required
    @wraps(view)
    def wrapper(request, token):
        invitations = list(Invitation.objects.of_token(token))
        try:
            if not invitations:
                raise actions.NotInvited
            return view(request, token, invitations, _state(request, invitations[0].email))
        except actions.NotInvited:
            return render(request, "domains/invitation_gone.html", status=410)

    return wrapper


def _state(request, email) -> str:
    account = User.objects.of_address(email)
    if account and not account.is_active:
        raise actions.NotInvited
    if request.user.is_authenticated:
        return "theirs" if account == request.user else "others"
    return "known" if account and account.is_confirmed else "new"


@require_safe
@of_link
def invitation(request, token, invitations, state):
    form = JoinForm(email=invitations[0].email) if state == "new" else None
    return _page(request, token, invitations, state, form)


def _page(request, token, invitations, state, form):
    context = {
        "token": token,
        "invitation": invitations[0],
        "invitations": invitations,
        "role": Role(invitations[0].role),
        "state": state,
        "form": form,
        # A provider that creates accounts proves the address as well as the link does.
        "provider": openid.name() if settings.OIDC_SIGNUP else "",
    }
    return render(request, "domains/invitation.html", context, status=422 if form and form.errors else 200)


@require_POST
@of_link
def accept(request, token, invitations, state):
    if state != "theirs":
        return redirect("domains:invitation", token)
    domains = actions.accept(token, request.user, by=Actor.of(request))
    return redirect(_welcome(request, domains))


@require_POST
@of_link
def decline(request, token, invitations, state):
    if state != "theirs":
        return redirect("domains:invitation", token)
    actions.decline(token, by=Actor.of(request))
    messages.success(request, "Invitation declined.")
    return redirect("domains:home")


@rate_limit(action="signup")
@sensitive_post_parameters("password1", "password2")
@require_POST
@of_link
def join(request, token, invitations, state):
    """Create the account of an invited person, whose address the link proves, and accept."""
    if state != "new":
        return redirect("domains:invitation", token)
    email = invitations[0].email
    form = JoinForm(request.POST, email=email, account=User.objects.of_address(email))
    if not form.is_valid():
        return _page(request, token, invitations, state, form)
    user = form.user()  # hashes the password, which takes long, before the transaction makes others wait
    try:
        with transaction.atomic():
            actions.hold(token)
            save(user)
            domains = actions.accept(token, user, by=Actor.of(request, user))
    except IntegrityError:  # the account was created a moment ago
        return redirect("domains:invitation", token)
    login = Login(user=user, redirect_url=_welcome(request, domains), signup=True)
    return perform_password_login(request, {"email": user.email}, login)


def _welcome(request, domains) -> str:
    """Add a message of the new memberships; return the URL to go to."""
    if len(domains) > 1:
        messages.success(request, f"You are now a member of {len(domains)} domains.")
        return resolve_url("credentials:domains")
    messages.success(request, f"You are now a member of {domains[0]}.")
    return resolve_url("credentials:overview", domains[0].name)
