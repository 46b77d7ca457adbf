"""Offboarding: a person leaves all domains of an owner, and the passwords that they know are reset.

Two acts on one page. The page stays reachable from Activity after the person has left.
"""

from functools import wraps

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from credentials import offboarding, rotation
from credentials.models import Credential
from credentials.offboarding_form import ResetManyForm
from domains.access import Permission, of_domain
from domains.members import offboarding as members
from domains.responses import ask, go
from web.plurals import counted
from web.request import ask_or_act, posted

PAGE_SIZE = 50  # as many as one act resets
LISTED = 50  # of those that were reset, the newest
STAYS = "They're still a member of {}: they are the last owner there who can sign in."
NONE_CHOSEN = "Select SMTP users first. One that was reset or deleted in the meantime is no longer in the list."


def of_person(view):
    """Decorate a view of one who is or was a member: it gets (request, domain, person)."""

    @wraps(view)
    def wrapper(request, domain, person):
        found = members.find(person, request.user)
        if found is None:
            raise Http404
        return view(request, domain, found)

    return of_domain(Permission.MANAGE_MEMBERS)(wrapper)


@require_safe
@of_person
def offboarding_page(request, domain, person):
    passwords = offboarding.known_by(person.pk, request.user)
    newest = sorted(passwords.reset, key=lambda known: known.credential.password_changed_at, reverse=True)
    context = {
        "domain": domain,
        "active_tab": "members",
        "person": person,
        "page": Paginator(passwords.current, PAGE_SIZE).get_page(request.GET.get("page")),
        "old": passwords.old,
        "reset": newest[:LISTED],
        "more_reset": len(newest) > LISTED,
    }
    return render(request, "domains/offboarding.html", context)


@ask_or_act
@of_person
@recent_sign_in
def remove(request, domain, person):
    """End the person's access to all domains of the user."""
    form = Form(posted(request))
    if not (form.is_valid() and person.can_lose):
        known = offboarding.known_by(person.pk, request.user).current
        context = {"active_tab": "members", "person": person, "known": known}
        return ask(request, domain, "_offboard_remove.html", form=form, **context)
    left, staying = members.remove(person.user, by=Actor.of(request))
    for kept in staying:
        messages.error(request, STAYS.format(kept))
    if left:
        messages.success(request, f"{person} was removed from {counted(len(left), 'domain', 'domains')}.")
    if members.find(person.pk, request.user) is None:  # one who never did anything there
        return go(request, "domains:members", domain.name)
    return go(request, "credentials:offboarding", domain.name, person.pk)


@ask_or_act
@of_person
@recent_sign_in
def reset(request, domain, person):
    """Reset the chosen ones of the passwords that the person knows."""
    chosen = set((request.POST if request.method == "POST" else request.GET).getlist("username"))
    known = offboarding.known_by(person.pk, request.user).current
    known = [item.credential.username for item in known if item.credential.username in chosen][:PAGE_SIZE]
    if not known:
        messages.error(request, NONE_CHOSEN)
        return go(request, "credentials:offboarding", domain.name, person.pk)
    credentials = Credential.objects.without_secrets().filter(username__in=known).select_related("domain")
    credentials = list(credentials.order_by("domain__name", "created_at", "pk"))
    form = ResetManyForm(posted(request), credentials=credentials)
    if not form.is_valid():
        context = {"person": person, "credentials": credentials, "gone": len(chosen) - len(known)}
        context |= {"keep_for": rotation.CHOICES, "active_tab": "members"}
        return ask(request, domain, "_offboard_reset.html", form=form, **context)
    keep = form.cleaned_data["keep"]
    done = offboarding.reset(person.pk, known, by=Actor.of(request), keep_old_for=keep)
    _report(request, len(done), len(chosen) - len(done))
    return go(request, "credentials:offboarding", domain.name, person.pk)


def _report(request, done, gone):
    if done:
        text = f"{counted(done, 'SMTP password is', 'SMTP passwords are')} reset."
        messages.success(request, f"{text} Each site needs its new password.")
    if gone:
        were = counted(gone, "SMTP user was", "SMTP users were")
        messages.error(request, f"{were} reset or deleted in the meantime, and not reset now.")
