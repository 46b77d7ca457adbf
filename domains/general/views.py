"""The General tab. GET asks or shows, POST acts."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from domains.access import Permission, of_domain
from domains.general import actions
from domains.general.forms import DeleteDomainForm, TitleForm, TransferForm
from domains.members import actions as member_actions
from domains.models import NameSuspended
from domains.responses import ask, go
from domains.roles import Role
from web.request import ask_or_act, posted

of_owner = of_domain(Permission.MANAGE_DOMAIN)


@require_safe
@of_domain(Permission.VIEW)
def overview(request, domain):
    return _page(request, domain, TitleForm(initial={"title": domain.title}))


def _page(request, domain, form):
    context = {
        "domain": domain,
        "active_tab": "general",
        "form": form,
        "host": settings.SMTP_HOST,
        "port": settings.SMTP_PORT,
        "tls_port": settings.SMTP_TLS_PORT,
    }
    return render(request, "domains/general.html", context, status=422 if form.errors else 200)


@ask_or_act
@of_owner
@recent_sign_in
def rename(request, domain):
    form = TitleForm(posted(request))
    if form.is_bound and not form.is_valid():
        return _page(request, domain, form)
    if form.is_bound:
        actions.rename(domain, form.cleaned_data["title"], by=Actor.of(request))
        messages.success(request, "Display name saved.")
    return redirect("domains:settings", domain.name)


@ask_or_act
@of_owner
@recent_sign_in
def transfer(request, domain):
    others = domain.memberships.for_page().exclude(user=request.user).exclude(role=Role.OWNER)
    form = TransferForm(posted(request), others=others.with_sign_in())
    if form.is_valid():
        try:
            member_actions.transfer(form.cleaned_data["member"], by=Actor.of(request))
        except ObjectDoesNotExist:
            form.add_error("member", "This changed in the meantime. Choose again.")
        else:
            messages.success(request, f"{form.cleaned_data['member'].user.email} is now the owner.")
            return go(request, "domains:members", domain.name)
    return ask(request, domain, "_transfer.html", active_tab="general", form=form)


@ask_or_act
@of_owner
@recent_sign_in
def delete(request, domain):
    form = DeleteDomainForm(posted(request), domain=domain)
    if form.is_valid():
        try:
            actions.delete(domain, by=Actor.of(request))
        except NameSuspended:
            domain.refresh_from_db(fields=["suspended_at"])
            form.add_error(None, "Nothing was deleted.")
        else:
            messages.success(request, "Domain deleted.")
            return go(request, "credentials:domains")
    return ask(
        request, domain, "_delete.html", active_tab="general", form=form, counts=actions.count_deleted(domain)
    )
