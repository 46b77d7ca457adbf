"""The Overview of a domain: what its credentials do, and what needs attention."""

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.models import Event
from credentials.models.figures import logins_of
from credentials.models.login_day import REFUSED_WITHIN
from credentials.models.refusals import LEFT_OUT, refusals_of
from credentials.models.state import State
from credentials.outcome import Outcome
from credentials.views.context import row_context
from domains.access import Permission, of_domain
from web import bar_chart

LISTED = 5  # of each kind; the rest is counted
RECENT_EVENTS = 5
MEANINGS = (
    (State.IN_USE, "used within 30 days"),
    (State.UNUSED, "no login for 90 days"),
    (State.EXPIRING, "within 7 days, or expired"),
    (State.SUSPENDED, "refused until resumed"),
    (State.REFUSED, "a login within 7 days"),
)


@require_safe
@of_domain(Permission.VIEW)
def overview(request, domain):
    return render(request, "domains/overview.html", _context(domain, timezone.now()))


def _context(domain, now) -> dict:
    figures = domain.credentials.figures(now)
    days = logins_of(domain, now)
    tried = domain.login_days.still_tried(now) if figures.has_tries else []
    return row_context(
        domain,
        active_tab="overview",
        now=now,
        total=figures.counts[""],
        tiles=_tiles(domain, figures.counts),
        last_used=figures.last_used_at,
        tried=tried[:LISTED],
        more_tried=max(len(tried) - LISTED, 0),
        troubled=_troubled(domain, now) if figures.troubled else [],
        more_troubled=max(figures.troubled - LISTED, 0),
        refusals=_refusals(domain, days, now),
        chart=bar_chart.of_logins(_accepted_and_refused(days), until=now.date()),
        events=_events(domain),
    )


def _tiles(domain, counts) -> list[tuple]:
    """(query of the list, name, count, meaning) of each state; in a suspended domain, all are refused."""
    tiles = {state: (f"?state={state.value}", state.label, counts[state], text) for state, text in MEANINGS}
    if domain.suspended_at:
        tiles[State.IN_USE] = ("", State.IN_USE.label, 0, "none while the domain is suspended")
        tiles[State.SUSPENDED] = ("", State.SUSPENDED.label, counts[""], "all, until the domain is resumed")
    return list(tiles.values())


def _events(domain):
    columns = ("tag", "actor_name", "domain_name", "credential", "data", "at")
    return Event.objects.for_page(domain).values_list(*columns, named=True)[:RECENT_EVENTS]


def _troubled(domain, now) -> list:
    rows = domain.credentials.troubled(now)
    return list(rows.values_list("username", "label", "expires_at", "created_at", named=True)[:LISTED])


def _refusals(domain, days, now) -> list[dict]:
    since = (now - REFUSED_WITHIN).date()
    if all(day < since or outcome in LEFT_OUT for day, outcome in days):
        return []
    return refusals_of(domain, now)


def _accepted_and_refused(days) -> dict:
    """Day → (accepted, refused), as the chart shows them."""
    sums: dict = {}
    for (day, outcome), count in days.items():
        if outcome != Outcome.UNKNOWN_USERNAME:
            accepted, refused = sums.get(day, (0, 0))
            is_accepted = outcome == Outcome.ACCEPTED
            sums[day] = (accepted + count, refused) if is_accepted else (accepted, refused + count)
    return sums
