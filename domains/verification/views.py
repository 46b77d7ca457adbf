"""The DNS Records tab and its Verify button."""

from django.contrib import messages
from django.contrib.messages import SUCCESS
from django.contrib.messages.storage.base import Message
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from audit.actor import Actor
from domains.access import Permission, of_domain
from domains.verification import background
from domains.verification.check import TooSoon
from domains.verification.page import dns_context, seconds_to_wait
from web.plurals import counted
from web.request import ask_or_act
from web.workers import Busy

BUSY = "Too many domains are being checked. Try again in a moment."


@require_safe
@of_domain(Permission.VIEW)
def dns(request, domain):
    """Show the tab. htmx polls it while a check runs, and gets no content until the check has ended."""
    if not request.htmx:
        return render(request, "domains/dns.html", dns_context(domain))
    context = dns_context(domain)
    if context["is_checking"]:
        return HttpResponse(status=204)
    if request.GET.get("state") == domain.State.PENDING and domain.is_authorized:
        # Not stored as a message: a GET changes nothing, not even the session.
        context["news"] = [Message(SUCCESS, "Domain authorized.")]
    return render(request, "domains/_dns_changed.html", context)


@ask_or_act
@of_domain(Permission.VERIFY_DOMAIN)
def verify(request, domain):
    if request.method != "POST":
        return redirect("domains:dns", domain.name)
    status = 200
    try:
        background.start(domain, by=Actor.of(request))
    except (TooSoon, Busy) as refusal:
        domain.refresh_from_db(fields=["check_started_at", "checked_at"])
        context = dns_context(domain)
        if not context["is_checking"]:
            messages.error(request, _explain(refusal, domain))
            status = 409
    if not request.htmx:
        return redirect("domains:dns", domain.name)
    return render(request, "domains/_dns_changed.html", dns_context(domain), status=status)


def _explain(refusal, domain) -> str:
    if isinstance(refusal, Busy):
        return BUSY
    wait = counted(seconds_to_wait(domain), "second", "seconds")
    return f"The DNS was just checked. Wait {wait}, then press Verify again."
