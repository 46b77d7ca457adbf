from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.models import Event
from domains.access import Permission, get_domain
from domains.activity.sentences import plain
from web.csv_export import csv_file
from web.dates import iso

EVENTS_PER_PAGE = 50
EVENTS_PER_FETCH = 500
CSV_COLUMNS = ["Time", "Who", "What", "SMTP user", "IP address"]


@require_safe
def activity(request, name):
    domain = get_domain(request, name, Permission.VIEW)
    page = Paginator(Event.objects.for_page(domain), EVENTS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "audit/activity.html", {"domain": domain, "active_tab": "activity", "page": page})


@require_safe
def export(request, name):
    """Stream all events as CSV, the newest first, in one query and constant memory."""
    domain = get_domain(request, name, Permission.VIEW)
    events = Event.objects.for_page(domain).defer("user_agent").iterator(chunk_size=EVENTS_PER_FETCH)
    rows = ((iso(event.at), event.actor_name, plain(event), event.credential, event.ip) for event in events)
    return csv_file(f"{domain.name}-activity.csv", CSV_COLUMNS, rows)
