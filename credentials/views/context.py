"""Template context of the SMTP Credentials tab: one page of rows and what they share."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings
from django.core.paginator import Paginator
from django.urls import reverse
from django.utils import timezone

from credentials.expiry import NEAR
from credentials.models.login_day import REFUSAL_SHOWN_FOR, TRIED_WITHIN
from credentials.outcome import CAUSES

PAGE_SIZE = 25
ATTEMPTS_PER_ROW = 2
UNUSED_AFTER = timedelta(days=90)


def row_context(domain, **extra) -> dict:
    """What a row or dialog needs besides its credential."""
    now, list_url = timezone.now(), reverse("credentials:list", args=[domain.name])
    return {
        "domain": domain,
        "list_url": list_url,
        "list_link": list_url,
        "back": "",
        "example_email": f"info@{domain.name}",
        "host": settings.SMTP_HOST,
        "port": settings.SMTP_PORT,
        "now": now,
        "near_end": now + NEAR,
        "refused_since": now - REFUSAL_SHOWN_FOR,
        "unused_since": now - UNUSED_AFTER,
        "causes": CAUSES,
        **extra,
    }


def tried_of(domain, credentials) -> dict[str, list]:
    """Retired passwords still being tried, by username of these rows; the last tried one first."""
    tried: dict[str, list] = {}
    now = timezone.now()
    since = now - TRIED_WITHIN
    # An attempt counts as a refusal as well, so usually there is nothing to look up.
    usernames = [row.username for row in credentials if row.last_refused_at and row.last_refused_at >= since]
    if not usernames:
        return tried
    for password in domain.login_days.filter(username__in=usernames).still_tried(now):
        if len(tried.setdefault(password["username"], [])) < ATTEMPTS_PER_ROW:
            tried[password["username"]].append(password)
    return tried


def _back(number, search) -> str:
    """The query string by which the page of an SMTP user leads back to this place in the list."""
    query = {"q": search, "page": number if number > 1 else ""}
    place = urlencode({name: value for name, value in query.items() if value})
    return f"?{urlencode({'back': place})}" if place else ""


def list_context(domain, *, number, search="", **extra) -> dict:
    """The rows of page `number` (1 … or "last"; anything else is clamped) and what is around them."""
    paginator = Paginator(domain.credentials.for_page(search), PAGE_SIZE)
    page = paginator.get_page(paginator.num_pages if number == "last" else number)
    page.object_list = list(page.object_list)
    return row_context(
        domain,
        active_tab="smtp",
        page=page,
        tried=tried_of(domain, page.object_list),
        search=search,
        # For a handful of rows, a search box is only in the way.
        searchable=bool(search) or paginator.count > PAGE_SIZE,
        issue_key=uuid4(),
        back=_back(page.number, search),
        **extra,
    )
