from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from audit.models import Event
from domains.access import Permission, get_domain
from domains.activity.filters import KINDS, SERVER, Filters
from domains.activity.sentences import plain
from web.csv_export import csv_file
from web.dates import iso

EVENTS_PER_PAGE = 50
EVENTS_PER_FETCH = 500
COLUMNS = ("at", "tag", "actor_name", "domain_name", "credential", "ip", "user_agent", "data", "number")
CSV_COLUMNS = ["Time", "Who", "What", "SMTP user", "IP address"]


@require_safe
def activity(request, name):
    domain = get_domain(request, name, Permission.VIEW)
    filters = Filters.of(request.GET)
    context = {"domain": domain, "active_tab": "activity", "filters": filters, "page_query": filters.query}
    events = Paginator(_rows(domain, filters), EVENTS_PER_PAGE)
    context["page"] = events.get_page(request.GET.get("page"))
    context["people"] = _people(domain, filters)
    if not request.htmx:
        return render(request, "audit/activity.html", context | {"kinds": KINDS})
    response = render(request, "audit/_events.html", context)
    return replace_url(response, f"{request.path}?{filters.query}" if filters else request.path)


def _rows(domain, filters):
    events = filters.of_domain(domain, Event.objects.for_page(domain))
    return events.values_list(*COLUMNS, named=True)


def _people(domain, filters) -> dict[str, str]:
    """Return who to choose from: all who did something in the domain, members or not."""
    people = {str(pk): name for pk, name in Event.objects.actors(domain)} | {SERVER: "The server"}
    if filters.person:  # by a link, or a hand-written address
        people.setdefault(filters.person, "Someone who did nothing here")
    return people


@require_safe
def export(request, name):
    """Stream the same events as CSV, the newest first, in one query and constant memory."""
    domain = get_domain(request, name, Permission.VIEW)
    events = _rows(domain, Filters.of(request.GET)).iterator(chunk_size=EVENTS_PER_FETCH)
    rows = ((iso(event.at), event.actor_name, plain(event), event.credential, event.ip) for event in events)
    return csv_file(f"{domain.name}-activity.csv", CSV_COLUMNS, rows)
