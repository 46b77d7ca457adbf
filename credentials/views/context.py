"""Template context of the SMTP Credentials tab: one page of rows and what they share."""

from uuid import uuid4

from django.conf import settings
from django.core.paginator import Paginator
from django.utils import timezone

from audit.models import Event
from credentials.expiry import NEAR
from credentials.models.listing import Sort
from credentials.models.login_day import REFUSAL_SHOWN_FOR, TRIED_WITHIN
from credentials.models.state import IN_USE_WITHIN, UNUSED_AFTER, State
from credentials.outcome import CAUSES
from credentials.views.position import START
from web.paths import path_of

PAGE_SIZE = 25
MAX_FULL_ROWS = 3  # a domain with more has light rows
ATTEMPTS_PER_ROW = 2


def row_context(domain, *, position=START, **extra) -> dict:
    """What a row or dialog needs besides its credential; `position` is where it leads back to."""
    now = timezone.now()
    list_url = path_of("credentials:list", domain.name)
    return {
        "domain": domain,
        "list_url": list_url,
        "list_link": list_url + position.query,
        "back": position.back,
        "example_email": f"info@{domain.name}",
        "host": settings.SMTP_HOST,
        "port": settings.SMTP_PORT,
        "tls_port": settings.SMTP_TLS_PORT,
        "now": now,
        "near_end": now + NEAR,
        "refused_since": now - REFUSAL_SHOWN_FOR,
        "unused_since": now - UNUSED_AFTER,
        "in_use_since": now - IN_USE_WITHIN,
        "causes": CAUSES,
        **extra,
    }


def changed_row_context(domain, credential, position, **extra) -> dict:
    """One row after an act on it, in the form that the list has."""
    figures = domain.credentials.figures(timezone.now())
    return row_context(
        domain,
        position=position,
        credential=credential,
        is_light=figures.counts[""] > MAX_FULL_ROWS,
        **_warnings(domain, [credential], has_tries=figures.has_tries),
        **extra,
    )


def list_context(domain, position, **extra) -> dict:
    """The rows of a page (1 … or "last"; anything else is clamped) and what is around them."""
    figures = domain.credentials.figures(timezone.now())
    counts = figures.counts
    paginator = Paginator(domain.credentials.listing(*position.criteria), PAGE_SIZE)
    if not position.search:
        paginator.count = counts[position.state]  # known, so that it isn't counted again
    page = paginator.get_page(paginator.num_pages if position.number == "last" else position.number)
    position = position._replace(number=str(page.number) if page.number > 1 else "")
    return row_context(
        domain,
        position=position,
        active_tab="smtp",
        page=page,
        page_query=position.query_of(number="")[1:],
        place=position,
        sorts=Sort.choices,
        state_label=State(position.state).label if position.state else "",
        chips=_chips(counts, position),
        total=counts[""],
        is_light=counts[""] > MAX_FULL_ROWS,
        issue_key=uuid4(),
        **_warnings(domain, page.object_list, has_tries=figures.has_tries),
        **extra,
    )


def _chips(counts, position) -> list[tuple]:
    """(name, count, query, is current) of each filter. A search ends with it: the count is what it opens."""
    names = [("", "All"), *State.choices]
    return [
        (name, counts[state], position.query_of(search="", state=state, number=""), state == position.state)
        for state, name in names
    ]


def _warnings(domain, credentials, *, has_tries) -> dict:
    return {
        # Usually there is nothing to look up.
        "tried": tried_of(domain, credentials) if has_tries else {},
        "suspended_by": _suspended_by(domain, [row.username for row in credentials if row.suspended_at]),
    }


def tried_of(domain, credentials) -> dict[str, list]:
    """Retired passwords still being tried, by username of these rows; the last tried one first."""
    tried: dict[str, list] = {}
    now = timezone.now()
    since = now - TRIED_WITHIN
    # An attempt counts as a refusal as well.
    usernames = [row.username for row in credentials if row.last_refused_at and row.last_refused_at >= since]
    if not usernames:
        return tried
    for password in domain.login_days.filter(username__in=usernames).still_tried(now):
        if len(tried.setdefault(password["username"], [])) < ATTEMPTS_PER_ROW:
            tried[password["username"]].append(password)
    return tried


def _suspended_by(domain, usernames) -> dict[str, str]:
    """Who suspended them most recently, by username."""
    if not usernames:
        return {}
    events = Event.objects.filter(domain=domain, credential__in=usernames, tag="credential.suspended")
    return dict(events.order_by("pk").values_list("credential", "actor_name"))
