"""Template context of the page of one SMTP user."""

from django.core.paginator import Paginator
from django.http import QueryDict
from django.utils import timezone

from audit.models import Event
from credentials import rotation, snippets
from credentials.diagnosis.explain import state_of
from credentials.models.login_day import MAX_ADDRESSES, LoginDay
from credentials.nodes import proof
from credentials.usage.summary import names, summarize
from credentials.views.context import row_context
from credentials.views.hand_over_context import hand_over_context
from credentials.views.position import Position
from web import bar_chart
from web.request import htmx_page

CLIENTS_PER_PAGE = 10
TRIES_LISTED = 50
NAMES_SHOWN = 3
EVENTS_SHOWN = 6


def page_context(request, domain, credential, **extra) -> dict:
    """Everything on the page; `extra` are forms that are open or have been answered."""
    now, query, position = timezone.now(), page_query(request), Position.of(request)
    events = Event.objects.history(credential.username, EVENTS_SHOWN)
    context = row_context(
        domain,
        active_tab="smtp",
        credential=credential,
        position=position,
        here=credential.get_absolute_url(),
        trouble=state_of(credential, now),
        events=events,
        proof=proof.latest(credential, events, now),
    )
    context |= on_page(position)
    context |= _use(credential, now, query.get("clients"))
    context |= verdict_context(credential, now)
    if domain.can["reveal_passwords"]:
        context |= hand_over_context(credential)
    return _connect(credential, query.get("tool"), request.user.email) | context | extra


def page_query(request) -> QueryDict:
    """The query of the page: of this request, or of the page that htmx asks from."""
    return QueryDict(htmx_page(request).query) if request.htmx else request.GET


def verdict_context(credential, now) -> dict:
    """Whether the old password can be revoked, while it works."""
    if not rotation.is_running(credential, now):
        return {"verdict": None}
    logins = LoginDay.objects.filter(username=credential.username).by_password(now)
    return {"verdict": rotation.judge(credential, logins, now)}


def on_page(position) -> dict:
    """Query strings that lead back: `back` from an act to the page, `keep` from the page to the list."""
    keep = position.back[1:]
    return {"keep": keep, "back": f"?on=page&{keep}" if keep else "?on=page", "list_query": position.query}


def _use(credential, now, number) -> dict:
    """The chart, clients of page `number` (anything else is clamped), refusals, and retired passwords tried."""
    summary = summarize(credential.username, now)
    page = Paginator(summary.clients, CLIENTS_PER_PAGE).get_page(number)
    addresses = [client.ip for client in page.object_list]
    logins = LoginDay.objects.filter(username=credential.username)
    tries = list(logins.tries(now)[: TRIES_LISTED + 1]) if summary.has_tries else []
    return {
        "page": page,
        "given_names": _names(names(credential.username, addresses, now)) if addresses else {},
        "together": MAX_ADDRESSES if "" in addresses else None,
        "refusals": summary.causes,
        "chart": bar_chart.of_logins(summary.days, until=now.date()) if addresses else None,
        "tries": tries[:TRIES_LISTED],
        "has_more_tries": len(tries) > TRIES_LISTED,
    }


def _names(days) -> dict:
    """Address → kind → (its last names, how many there are)."""
    known: dict = {}
    for ip, *given in days:
        for kind, of_day in zip(("ehlo", "mail_from"), given, strict=True):
            known.setdefault(ip, {}).setdefault(kind, {}).update(dict.fromkeys(of_day))
    return {
        ip: {kind: (list(given)[:NAMES_SHOWN], len(given)) for kind, given in kinds.items()}
        for ip, kinds in known.items()
    }


def _connect(credential, key, recipient) -> dict:
    """Ready settings for the tool that was chosen, if one was."""
    tool = snippets.tool_of(key)
    context = {"tools": snippets.TOOLS, "tool": tool}
    if tool is None:
        return context
    values = snippets.values(credential, recipient)
    filled = {"note": snippets.note(tool, values), "fields": snippets.fill(tool, values)}
    warnings = {"lacks_name": snippets.lacks_name(tool), "is_self_signed": snippets.is_self_signed()}
    return values | context | filled | warnings
