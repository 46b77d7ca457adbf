"""The Overview of a domain: what its credentials do, and what needs attention."""

from datetime import timedelta

from django.db.models import Case, Count, IntegerField, Max, Q, When, Window
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.models import Event
from credentials.models import LoginDay
from credentials.views.context import UNUSED_AFTER, row_context
from domains.access import Permission, of_domain
from web import bar_chart

IN_USE_WITHIN = timedelta(days=30)
EXPIRING_WITHIN = timedelta(days=7)
NEVER_USED_FOR = timedelta(days=7)
LISTED = 5  # of each kind; the rest is counted
RECENT_EVENTS = 5
NUMBERS = ("count", "in_use", "unused", "expiring", "never_used", "suspended")


@require_safe
@of_domain(Permission.VIEW)
def overview(request, domain):
    return render(request, "domains/overview.html", _context(domain, timezone.now()))


def _context(domain, now) -> dict:
    first = list(_credentials(domain, now)[:LISTED])
    numbers = {name: getattr(first[0], name) if first else 0 for name in (*NUMBERS, "last_used")}
    if domain.suspended_at:  # all of them are refused
        numbers |= {"in_use": 0, "suspended": numbers["count"]}
    troubled = [credential for credential in first if credential.trouble]
    tried = domain.login_days.still_tried(now)
    return row_context(
        domain,
        active_tab="overview",
        now=now,
        numbers=numbers,
        tried=tried[:LISTED],
        more_tried=max(len(tried) - LISTED, 0),
        troubled=troubled,
        more_troubled=numbers["expiring"] + numbers["never_used"] - len(troubled),
        refusals=LoginDay.objects.refused_of(domain, now),
        chart=bar_chart.of_logins(domain.login_days.recent(now).by_day(), until=now.date()),
        events=Event.objects.for_page(domain)[:RECENT_EVENTS],
    )


def _credentials(domain, now):
    """The credentials, those in trouble first; each row holds the numbers of all of them, in one query."""
    live, soon = Q(suspended_at=None), now + EXPIRING_WITHIN
    unused, expiring = Q(last_used_at=None), live & Q(expires_at__lte=soon)
    never_used = live & unused & Q(created_at__lte=now - NEVER_USED_FOR)
    never_used &= Q(expires_at=None) | Q(expires_at__gt=soon)
    numbers = {
        "in_use": live & Q(last_used_at__gte=now - IN_USE_WITHIN),
        "unused": live & (unused | Q(last_used_at__lt=now - UNUSED_AFTER)),
        "expiring": expiring,
        "never_used": never_used,
        "suspended": Q(suspended_at__isnull=False),
    }
    return (
        domain.credentials.annotate(
            trouble=Case(When(expiring, 2), When(never_used, 1), default=0, output_field=IntegerField()),
            count=Window(Count("pk")),
            last_used=Window(Max("last_used_at")),
            **{name: Window(Count("pk", filter=condition)) for name, condition in numbers.items()},
        )
        .order_by("-trouble", "expires_at", "created_at", "pk")
        .values_list(
            "username", "label", "expires_at", "created_at", "trouble", "last_used", *NUMBERS, named=True
        )
    )
