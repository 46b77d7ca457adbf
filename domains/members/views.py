"""The Members tab. GET asks or shows, POST acts."""

from functools import wraps

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.forms import Form
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts import emails
from accounts.models import User
from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from domains.access import Permission, of_domain
from domains.members import actions
from domains.members.forms import InviteForm, RoleForm
from domains.members.page import members_context, other_domains, show_gone, show_members
from domains.members.rate_limits import may_invite
from domains.navigation import FILTER_FROM
from domains.responses import ask, go
from domains.roles import Role
from web.request import ask_or_act, posted

MAX_CHOICES = 500
CHANGED_IN_THE_MEANTIME = "Someone else changed this in the meantime: it's no longer in the list."
TOO_MANY_INVITATIONS = (
    "These are more invitations than can be sent in an hour. Nothing was sent. Try again later."
)
LAST_OWNER = "{} the last owner, and a domain needs one. Make someone else an owner first."

of_owner = of_domain(Permission.MANAGE_MEMBERS)


def of_row(name):
    """Decorate a view of one row of `domain.<name>`: it gets (request, domain, row)."""

    def decorate(view):
        @wraps(view)
        def wrapper(request, domain, public_id):
            try:
                row = getattr(domain, name).for_page().get(public_id=public_id)
                row.domain = domain
                return view(request, domain, row)
            except ObjectDoesNotExist:
                return show_gone(request, domain, CHANGED_IN_THE_MEANTIME)

        return wrapper

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
        return _ask_to_invite(request, domain, form)
    if not may_invite(request, form.cleaned_data["emails"]):
        form.add_error(None, TOO_MANY_INVITATIONS)
        return _ask_to_invite(request, domain, form, status=429)
    domains = [domain, *form.cleaned_data["also"]]
    addresses, role = form.cleaned_data["emails"], form.cleaned_data["role"]
    invitations = actions.invite(domains, addresses, role, by=Actor.of(request))
    if invitations and not emails.are_sent():
        return _show_links(request, domain, invitations)
    sent = len(invitations)
    messages.success(request, ngettext("Invitation sent.", f"{sent} invitations sent.", sent))
    return show_members(request, domain)


def _show_links(request, domain, made):
    """Show the links of invitations, once: the owner gives them to the people, as no mail goes out."""
    # The list behind the dialog is updated as well.
    context = {"active_tab": "members"} | (members_context(request, domain) if request.htmx else {})
    context.pop("domain", None)
    return ask(request, domain, "_invitation_links.html", made=made, **context)


def _ask_to_invite(request, domain, form, **extra):
    chosen = form.data.getlist("also") if form.is_bound else []
    # The list is loaded when it's opened, unless some were chosen before, or the browser has no script.
    is_open = bool(chosen) or "also" in request.GET
    extra |= _choices(request, domain, chosen) if is_open else {}
    extra["owns_others"] = is_open or other_domains(request.user, domain).exists()
    extra["roles"] = Role(domain.role).grantable()
    extra["sends_mail"] = emails.are_sent()
    return ask(request, domain, "_invite.html", active_tab="members", form=form, **extra)


@require_safe
@of_owner
def invite_also(request, domain):
    """Offer the inviter's other domains."""
    return render(request, "domains/_also.html", _choices(request, domain, []))


def _choices(request, domain, chosen):
    found = list(other_domains(request.user, domain)[: MAX_CHOICES + 1])
    return {
        "choices": found[:MAX_CHOICES],
        "more_choices": len(found) > MAX_CHOICES,
        "chosen": set(chosen),
        "with_filter": len(found) > FILTER_FROM,
    }


@ask_or_act
@of_owner
@of_row("memberships")
@recent_sign_in
def change_role(request, domain, member):
    form = RoleForm(posted(request), own_role=domain.role, initial={"role": member.role})
    roles = Role(domain.role).grantable()
    if form.is_valid():
        try:
            actions.change_role(member, form.cleaned_data["role"], by=Actor.of(request))
        except actions.LastOwner:
            form.add_error(None, _explain_last_owner(request, member))
        except User.NotConfirmed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Role changed.")
            if member.user == request.user:
                return go(request, "domains:members", domain.name)
            return show_members(request, domain)
    return ask(
        request, domain, "_change_role.html", active_tab="members", form=form, member=member, roles=roles
    )


@ask_or_act
@of_owner
@of_row("memberships")
@recent_sign_in
def remove(request, domain, member):
    return _end_membership(request, domain, member, "_remove.html")


@ask_or_act
@of_domain(Permission.VIEW)
@recent_sign_in
def leave(request, domain):
    member = domain.memberships.select_related("user").get(user=request.user)
    return _end_membership(request, domain, member, "_leave.html")


def _end_membership(request, domain, member, question):
    form = Form(posted(request))
    if form.is_valid():
        try:
            actions.remove(member, by=Actor.of(request))
        except actions.LastOwner:
            form.add_error(None, _explain_last_owner(request, member))
        else:
            if member.user == request.user:
                messages.success(request, f"You left {domain}.")
                return go(request, "credentials:domains")
            messages.success(request, f"{member.user.email} was removed.")
            return show_members(request, domain)
    return ask(request, domain, question, active_tab="members", form=form, member=member)


def _explain_last_owner(request, member):
    return LAST_OWNER.format("You are" if member.user == request.user else f"{member.user.email} is")


@ask_or_act
@of_owner
@of_row("invitations")
@recent_sign_in
def resend(request, domain, invitation):
    form = Form(posted(request))
    question = {"active_tab": "members", "invitation": invitation, "sends_mail": emails.are_sent()}
    if not form.is_valid():
        return ask(request, domain, "_resend.html", form=form, **question)
    if not may_invite(request, [invitation.email]):
        form.add_error(None, TOO_MANY_INVITATIONS)
        return ask(request, domain, "_resend.html", form=form, status=429, **question)
    invitation.resend(by=Actor.of(request))
    if not emails.are_sent():
        return _show_links(request, domain, [invitation])
    messages.success(request, "Invitation resent.")
    return show_members(request, domain)


@ask_or_act
@of_owner
@of_row("invitations")
@recent_sign_in
def revoke(request, domain, invitation):
    form = Form(posted(request))
    if not form.is_valid():
        return ask(request, domain, "_revoke.html", active_tab="members", form=form, invitation=invitation)
    invitation.revoke(by=Actor.of(request))
    messages.success(request, "Invitation revoked.")
    return show_members(request, domain)
