"""The Members tab. GET asks or shows, POST acts."""

from functools import wraps

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.forms import Form
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from domains.access import Permission, of_domain
from domains.members import actions as members
from domains.members.forms import InviteForm, RoleForm
from domains.members.page import gone, members_again, members_context, other_domains
from domains.members.rate_limits import may_invite
from domains.responses import ask, go
from domains.roles import Role
from web.request import ask_or_act, posted

OTHERS_SHOWN = 500
FILTER_FROM = 8
GONE = "Someone else changed this in the meantime: it's no longer in the list."
TOO_MANY = "These are more invitations than can be sent in an hour. Nothing was sent. Try again later."
LAST_OWNER = "{} the last owner, and a domain needs one. Make someone else an owner first."

of_owner = of_domain(Permission.MANAGE_MEMBERS)


def on_list(name):
    """Decorate a view of one row of `domain.<name>`: it gets (request, domain, row)."""

    def decorate(view):
        @wraps(view)
        def answer(request, domain, public_id):
            try:
                row = getattr(domain, name).for_page().get(public_id=public_id)
                row.domain = domain
                return view(request, domain, row)
            except ObjectDoesNotExist:
                return gone(request, domain, GONE)

        return answer

    return decorate


@require_safe
@of_domain(Permission.VIEW)
def member_list(request, domain):
    template = "domains/_members.html" if request.htmx else "domains/members.html"
    return render(request, template, members_context(request, domain))


@ask_or_act
@of_owner
@recent_sign_in
def invite(request, domain):
    form = InviteForm(posted(request), domain=domain, user=request.user)
    if not form.is_valid():
        return _ask_whom(request, domain, form)
    if not may_invite(request, form.cleaned_data["emails"]):
        form.add_error(None, TOO_MANY)
        return _ask_whom(request, domain, form, status=429)
    domains = [domain, *form.cleaned_data["also"]]
    sent = members.invite(domains, form.cleaned_data["emails"], form.cleaned_data["role"], by=Actor.of(request))
    messages.success(request, "Invitation sent." if sent == 1 else f"{sent} invitations sent.")
    return members_again(request, domain)


def _ask_whom(request, domain, form, **more):
    chosen = form.data.getlist("also") if form.is_bound else []
    # Loaded when it is opened; here only for who chose some already, or has no script.
    listed = bool(chosen) or "also" in request.GET
    more |= _choices(request, domain, chosen) if listed else {}
    more["owns_others"] = listed or other_domains(request.user, domain).exists()
    return ask(
        request,
        domain,
        "_invite.html",
        active_tab="members",
        form=form,
        roles=Role(domain.role).grantable(),
        **more,
    )


@require_safe
@of_owner
def invite_also(request, domain):
    """The inviter's other domains, to choose from."""
    return render(request, "domains/_also.html", _choices(request, domain, []))


def _choices(request, domain, chosen):
    found = list(other_domains(request.user, domain)[: OTHERS_SHOWN + 1])
    return {
        "choices": found[:OTHERS_SHOWN],
        "more_choices": len(found) > OTHERS_SHOWN,
        "chosen": set(chosen),
        "with_filter": len(found) > FILTER_FROM,
    }


@ask_or_act
@of_owner
@on_list("memberships")
@recent_sign_in
def change_role(request, domain, member):
    form = RoleForm(posted(request), giver=domain.role, initial={"role": member.role})
    more = {"member": member, "roles": Role(domain.role).grantable()}
    if form.is_valid():
        try:
            members.change_role(member, form.cleaned_data["role"], by=Actor.of(request))
        except members.LastOwner:
            form.add_error(None, _last_owner(request, member))
        except User.NotConfirmed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Role changed.")
            if member.user == request.user:
                return go(request, "domains:members", domain.name)
            return members_again(request, domain)
    return ask(request, domain, "_change_role.html", active_tab="members", form=form, **more)


@ask_or_act
@of_owner
@on_list("memberships")
@recent_sign_in
def remove(request, domain, member):
    return _end(request, domain, member, "_remove.html")


@ask_or_act
@of_domain(Permission.VIEW)
@recent_sign_in
def leave(request, domain):
    member = domain.memberships.select_related("user").get(user=request.user)
    return _end(request, domain, member, "_leave.html")


def _end(request, domain, member, question):
    form = Form(posted(request))
    if form.is_valid():
        try:
            members.remove(member, by=Actor.of(request))
        except members.LastOwner:
            form.add_error(None, _last_owner(request, member))
        else:
            if member.user == request.user:
                messages.success(request, f"You left {domain}.")
                return go(request, "domains:list")
            messages.success(request, f"{member.user.email} was removed.")
            return members_again(request, domain)
    return ask(request, domain, question, active_tab="members", form=form, member=member)


def _last_owner(request, member):
    return LAST_OWNER.format("You are" if member.user == request.user else f"{member.user.email} is")


@ask_or_act
@of_owner
@on_list("invitations")
@recent_sign_in
def resend(request, domain, invitation):
    form = Form(posted(request))
    if not form.is_valid():
        return ask(request, domain, "_resend.html", active_tab="members", form=form, invitation=invitation)
    if not may_invite(request, [invitation.email]):
        form.add_error(None, TOO_MANY)
        return ask(
            request, domain, "_resend.html", active_tab="members", form=form, invitation=invitation, status=429
        )
    invitation.resend(by=Actor.of(request))
    messages.success(request, "Invitation resent.")
    return members_again(request, domain)


@ask_or_act
@of_owner
@on_list("invitations")
@recent_sign_in
def revoke(request, domain, invitation):
    form = Form(posted(request))
    if not form.is_valid():
        return ask(request, domain, "_revoke.html", active_tab="members", form=form, invitation=invitation)
    invitation.revoke(by=Actor.of(request))
    messages.success(request, "Invitation revoked.")
    return members_again(request, domain)
