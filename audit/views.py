from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.models import Event
from domains.access import Permission, get_domain

PAGE_SIZE = 50


@require_safe
def activity(request, name):
    domain = get_domain(request, name, Permission.VIEW)
    page = Paginator(Event.objects.for_page(domain), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "audit/activity.html", {"domain": domain, "at": "activity", "page": page})
