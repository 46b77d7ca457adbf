"""Recently deleted SMTP users: list, restore, erase. Undo in a toast is Restore."""

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from credentials import bulk
from credentials.models.deleted import DeletedCredential
from credentials.views import responses, selection
from credentials.views.context import PAGE_SIZE
from domains.access import Permission, of_domain
from domains.responses import go
from web.request import ask_or_act

UNDO_FOR = timedelta(minutes=2)


@require_safe
@of_domain(Permission.VIEW)
def deleted_list(request, domain):
    rows = Paginator(domain.deleted_credentials.for_page(timezone.now()), PAGE_SIZE)
    context = {"domain": domain, "active_tab": "smtp", "page": rows.get_page(request.GET.get("page"))}
    return render(request, "credentials/deleted.html", context)


@ask_or_act
@of_domain(Permission.MANAGE_CREDENTIALS)
def restore(request, domain):
    if request.method != "POST":
        return redirect("credentials:deleted", domain.name)  # after signing in again
    try:
        usernames = selection.usernames(request.POST)
    except selection.BadSelection as problem:
        messages.error(request, str(problem))
        return responses.list_again(request, domain, status=422)
    # A user who deleted them just now has confirmed that: Undo must not ask again.
    just_now = domain.deleted_credentials.filter(
        username__in=usernames, deleted_by=request.user, deleted_at__gt=timezone.now() - UNDO_FOR
    )
    view = _restore if just_now.count() == len(usernames) else recent_sign_in(_restore)
    return view(request, domain, usernames)


def _restore(request, domain, usernames):
    done = bulk.restore(domain, usernames, by=Actor.of(request))
    if done.usernames:
        messages.success(request, selection.sentence(done, "restored"))
        return responses.list_again(request, domain)
    messages.error(request, "Nothing was restored: it has already been restored or erased.")
    return responses.list_again(request, domain, status=404)


@ask_or_act
@of_domain(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def erase(request, domain, username):
    rows = domain.deleted_credentials.restorable(timezone.now()).without_secrets()
    deleted = get_object_or_404(rows, username=username)
    if request.method != "POST":
        return responses.ask(request, domain, deleted, "_erase.html")
    try:
        deleted.erase(by=Actor.of(request))
        messages.success(request, "SMTP user erased.")
    except DeletedCredential.DoesNotExist:
        messages.error(request, "This SMTP user was restored or erased in the meantime.")
    return go(request, "credentials:deleted", domain.name)
