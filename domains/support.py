"""What the pages of the support admin show of a domain and of a user, read-only."""

from django.utils.html import format_html

from audit.lists import Section, changelist, page_of
from audit.models import Event
from domains.activity.sentences import plain
from domains.models import Domain, Membership
from web.dates import ago

ROWS = 10  # of a section


def events_of(domain_events, **query):
    """Return the section of the newest of some events, without data that only their pages show."""
    rows = [
        (
            format_html('<a href="{}">{}</a>', page_of(event), ago(event.at)),
            plain(event),
            event.actor_name,
            event.ip or "-",
        )
        for event in domain_events.order_by("-at", "-pk")[:ROWS]
    ]
    columns = ("When", "What", "Who", "IP address")
    return Section("Newest events", columns, rows, "No events.", changelist(Event, **query))


def events_of_domain(request, domain):
    if not request.user.has_perm("audit.view_event"):
        return None
    return events_of(Event.objects.filter(domain=domain), domain=domain.pk)


def domains_of(request, user):
    if not request.user.has_perm("domains.view_domain"):
        return None
    found = Membership.objects.filter(user=user).select_related("domain").order_by("domain__name", "pk")
    rows = [
        (
            format_html('<a href="{}">{}</a>', page_of(one.domain), one.domain),
            one.get_role_display(),
            one.domain.state.label,
        )
        for one in found[:ROWS]
    ]
    return Section(
        "Domains", ("Domain", "Role", "State"), rows, "A member of no domain.", changelist(Domain, q=user.email)
    )
