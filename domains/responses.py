"""Responses of acts on a domain: a fragment to htmx, otherwise a page or a redirect."""

from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget


def ask(request, domain, question, *, active_tab, form=None, status=200, **extra):
    """Show a question, in the dialog for htmx, otherwise as a page, with the errors of its form."""
    if form and form.errors and status == 200:
        status = 422
    context = {
        "domain": domain,
        "active_tab": active_tab,
        "question": f"domains/{question}",
        "form": form,
        **extra,
    }
    template = context["question"] if request.htmx else "domains/ask.html"
    response = render(request, template, context, status=status)
    return reswap(retarget(response, "#dialog"), "innerHTML") if request.htmx else response


def go(request, route, *args):
    """Redirect to another page, also from the dialog."""
    response = redirect(route, *args)
    return HttpResponseClientRedirect(response.url) if request.htmx else response
