"""The Members tab: what it shows, and how it answers after an act."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django_htmx.http import reswap, retarget

from domains.models import Domain
from domains.roles import Role
from web.request import list_position

PAGE_SIZE = 25
INVITATIONS_SHOWN = 100


def members_context(request, domain) -> dict:
    """The Members tab: one page of members, and the invitations that are not answered yet."""
    number, search = list_position(request).values()
    members = Paginator(domain.memberships.for_page(search), PAGE_SIZE)
    invitations = list(domain.invitations.for_page(search)[: INVITATIONS_SHOWN + 1])
    return {
        "domain": domain,
        "active_tab": "members",
        "search": search,
        "page": members.get_page(number),
        # A search box for a handful of rows is only in the way.
        "searchable": bool(search) or members.count > PAGE_SIZE or len(invitations) > INVITATIONS_SHOWN,
        "invitations": invitations[:INVITATIONS_SHOWN],
        "more_invitations": len(invitations) > INVITATIONS_SHOWN,
        "roles": dict(Role.choices),
    }


def members_again(request, domain, *, status=200):
    """The Members tab after something on it changed."""
    if not request.htmx:
        return redirect("domains:members", domain.name)
    response = render(request, "domains/_changed_members.html", members_context(request, domain), status=status)
    return reswap(retarget(response, "#members"), "outerHTML")


def gone(request, domain, text):
    """What an act was for is not there any more, or never was."""
    if request.htmx:
        messages.error(request, text)
        return members_again(request, domain, status=404)
    return render(request, "domains/gone.html", {"title": text, "domain": domain}, status=404)


def other_domains(user, domain):
    """The domains that a person owns beside one, in the dropdown's order."""
    return Domain.objects.owned_by(user).exclude(pk=domain.pk)
