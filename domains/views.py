from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from audit.actor import Actor
from domains.forms import AddDomainForm
from domains.models import Domain
from domains.navigation import FILTER_FROM, around_name
from web.request import ask_or_act, posted, search_text

DOMAINS_PER_PAGE = 25
MENU_SIZE = 500


@require_safe
def home(request):
    """Go to the user's only domain, or to the list; staff without a domain go to the admin."""
    names = Domain.objects.for_user(request.user).values_list("name", flat=True)[:2]
    if request.user.is_staff and not names:
        return redirect("admin:index")
    return redirect("credentials:overview", names[0]) if len(names) == 1 else redirect("domains:list")


@require_safe
def domain_list(request):
    search = search_text(request.GET)
    domains = Domain.objects.for_user(request.user).search(search).with_counts(request.user)
    page = Paginator(domains, DOMAINS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "domains/list.html", {"page": page, "search": search, "page_size": DOMAINS_PER_PAGE})


@ask_or_act
def add(request):
    form = AddDomainForm(posted(request), user=request.user)
    if form.is_valid():
        domain = Domain.objects.add(form.cleaned_data["name"], by=Actor.of(request))
        messages.success(request, "Domain added.")
        return redirect("domains:dns", domain.name)
    return render(request, "domains/add.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def menu(request):
    """Return the content of the domain dropdown, which is loaded when it's opened."""
    search, tab = search_text(request.GET), request.GET.get("tab", "")
    found = list(Domain.objects.for_user(request.user).search(search)[: MENU_SIZE + 1])
    before, after = around_name(tab)
    context = {
        "entries": found[:MENU_SIZE],
        "before": before,
        "after": after,
        "more": len(found) > MENU_SIZE,
        "search": search,
        "tab": tab,
        "current": request.GET.get("current", ""),
        "with_filter": len(found) > FILTER_FROM,
        "only_entries": "q" in request.GET,
    }
    return render(request, "domains/_menu.html", context)
