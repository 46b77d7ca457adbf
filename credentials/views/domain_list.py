"""All domains of a user: the list, what is unused in them, a search, and the domain dropdown."""

from django.core.paginator import Paginator
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from credentials.models import across, own_domains
from credentials.models.base import is_username
from credentials.models.own_domains import Filter, Sort
from domains.navigation import around_name
from web.plurals import counted
from web.request import MAX_SEARCH_LENGTH
from web.search.query import parse

PAGE_SIZE = 25
MAX_FOUND = 50  # SMTP users that a search lists; more of them call for more letters
MENU_SIZE = 500
MENU_FOUND = 8
MAX_TEXT = 1000  # characters, so that a line of a log fits in


@require_safe
def domain_list(request):
    text, now = _search_text(request.GET), timezone.now()
    chosen, sort = _one_of(Filter, request.GET.get("state")), _one_of(Sort, request.GET.get("sort"))
    counts = own_domains.counts(request.user, now)
    context = {
        "active_filter": chosen,
        "filters": list(counts.items()),
        "sorts": list(Sort),
        "active_sort": sort,
        "search": text,
        "has_domains": bool(counts[Filter.ALL]),
        "page_query": _query(q=text, state=chosen, sort=sort),
    }
    if text:
        domains = [domain for domain in own_domains.all_of(request.user) if domain.matches(text)]
        users = list(across.found(request.user, text, now)[: MAX_FOUND + 1])
        context |= {"users": users[:MAX_FOUND], "more_users": len(users) > MAX_FOUND}
        context["found"] = _found(len(domains), len(users))
    elif chosen == Filter.UNUSED:
        page = Paginator(across.unused(request.user, now), PAGE_SIZE).get_page(request.GET.get("page"))
        return render(request, "domains/list.html", context | {"page": page, "users": list(page)})
    else:
        domains = own_domains.OwnDomains(request.user, now, chosen, sort, counts[chosen])
    page = Paginator(domains, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = _with_notes(own_domains.with_figures(page.object_list, now))
    return render(request, "domains/list.html", context | {"page": page, "rows": rows})


@require_safe
def menu(request):
    """Return the entries of the domain dropdown: all domains, or what a search finds."""
    text = _search_text(request.GET)
    domains = [domain for domain in own_domains.all_of(request.user) if domain.matches(text)]
    users = list(across.found(request.user, text, timezone.now())[: MENU_FOUND + 1]) if text else []
    before, after = around_name(request.GET.get("tab", ""))
    context = {
        "entries": domains[:MENU_SIZE],
        "users": users[:MENU_FOUND],
        "before": before,
        "after": after,
        "more": len(domains) > MENU_SIZE or len(users) > MENU_FOUND,
        "search": text,
        "current": request.GET.get("current", ""),
    }
    return render(request, "domains/_menu.html", context)


def _search_text(query) -> str:
    """Return the search text: trimmed, short, without NUL; the username alone of a line of a log."""
    text = query.get("q", "")[:MAX_TEXT].replace("\x00", "").strip()
    username = parse(text).start
    return username if is_username(username) else text[:MAX_SEARCH_LENGTH]


def _found(domains, users) -> str:
    """Say how much a search found, for the title: `1 domain and 2 SMTP users found`."""
    more = "more than " if users > MAX_FOUND else ""
    parts = [counted(domains, "domain", "domains")] if domains else []
    parts += [more + counted(min(users, MAX_FOUND), "SMTP user", "SMTP users")] if users else []
    found = f"{' and '.join(parts) or 'nothing'} found"
    return found[0].upper() + found[1:]


def _query(**chosen):
    """Return the query string that another page of the list keeps."""
    return urlencode({name: str(value) for name, value in chosen.items() if value})


def _one_of(choices, value):
    return choices(value) if value in choices.values else choices("")


def _with_notes(summaries) -> list[tuple]:
    """Return the domains with links to what needs attention: (path, words, class)."""
    overview, dns, users = around_name("overview"), around_name("dns"), around_name("smtp")
    return [(summary, list(_notes(summary, overview, dns, users))) for summary in summaries]


def _notes(summary, overview, dns, users):
    if summary.is_suspended:
        yield summary.name.join(overview), "Suspended", "badge suspended"
    elif summary.is_unproved:
        yield summary.name.join(dns), "Pending", "badge pending"
    if summary.has_lost_ownership:
        yield summary.name.join(dns), "Ownership record gone", "badge warned"
    for state in own_domains.TROUBLES:
        if number := getattr(summary, state):
            path = summary.name.join(users)
            yield f"{path}?state={state.value}", f"{number} {state.label.lower()}", "link"
