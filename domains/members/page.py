"""The content of the Members tab, and the responses after an act on it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django_htmx.http import reswap, retarget

from domains.models import Domain
from domains.roles import Role
from web.request import list_position

MEMBERS_PER_PAGE = 25
MAX_INVITATIONS_SHOWN = 100


def members_context(request, domain) -> dict:
    """Return one page of members, and the pending invitations."""
    number, search = list_position(request).values()
    members = Paginator(domain.memberships.for_page(search), MEMBERS_PER_PAGE)
    invitations = list(domain.invitations.for_page(search)[: MAX_INVITATIONS_SHOWN + 1])
    return {
        "domain": domain,
        "active_tab": "members",
        "search": search,
        "page": members.get_page(number),
        # A few rows need no search box.
        "searchable": bool(search)
        or members.count > MEMBERS_PER_PAGE
        or len(invitations) > MAX_INVITATIONS_SHOWN,
        "invitations": invitations[:MAX_INVITATIONS_SHOWN],
        "more_invitations": len(invitations) > MAX_INVITATIONS_SHOWN,
        "roles": dict(Role.choices),
    }


def show_members(request, domain, *, status=200):
    """Show the Members tab after a change."""
    if not request.htmx:
        return redirect("domains:members", domain.name)
    response = render(request, "domains/_changed_members.html", members_context(request, domain), status=status)
    return reswap(retarget(response, "#members"), "outerHTML")


def show_gone(request, domain, text):
    """Report that the object of an act doesn't exist, or no longer does."""
    if request.htmx:
        messages.error(request, text)
        return show_members(request, domain, status=404)
    return render(request, "domains/gone.html", {"title": text, "domain": domain}, status=404)


def other_domains(user, domain):
    """Return the other domains that a user owns, in the dropdown's order."""
    return Domain.objects.owned_by(user).exclude(pk=domain.pk)
