"""The Recent clients page: who used a credential in 30 days, and who tries a retired password."""

from django.core.paginator import Paginator
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from credentials.models.login_day import MAX_ADDRESSES, LoginDay
from credentials.views.access import of_credential
from credentials.views.context import row_context
from domains.access import Permission
from web import bar_chart

PAGE_SIZE = 25
TRIES_LISTED = 50
NAMES_SHOWN = 3


@require_safe
@of_credential(Permission.VIEW)
def clients(request, domain, credential):
    context = _context(domain, credential, number=request.GET.get("page"))
    return render(request, "credentials/clients.html", context)


def _context(domain, credential, *, number) -> dict:
    """The clients of page `number` (anything else is clamped), the chart, and tries of retired passwords."""
    now = timezone.now()
    logins = LoginDay.objects.filter(username=credential.username)
    days = logins.recent(now)
    page = Paginator(days.by_address(), PAGE_SIZE).get_page(number)
    page.object_list = list(page.object_list)
    addresses = [client["ip"] for client in page.object_list]
    tries = list(logins.tries(now)[: TRIES_LISTED + 1])
    return row_context(
        domain,
        active_tab="smtp",
        credential=credential,
        page=page,
        given_names=_names(days.filter(ip__in=addresses)),
        together=MAX_ADDRESSES if "" in addresses else None,
        chart=bar_chart.of_logins(days.by_day(), until=now.date()),
        tries=tries[:TRIES_LISTED],
        has_more_tries=len(tries) > TRIES_LISTED,
    )


def _names(days) -> dict:
    """Address → kind → (its last names, how many there are)."""
    names: dict = {}
    for ip, *given in days.with_names():
        for kind, of_day in zip(("ehlo", "mail_from"), given, strict=True):
            names.setdefault(ip, {}).setdefault(kind, {}).update(dict.fromkeys(of_day))
    return {
        ip: {kind: (list(given)[:NAMES_SHOWN], len(given)) for kind, given in kinds.items()}
        for ip, kinds in names.items()
    }
