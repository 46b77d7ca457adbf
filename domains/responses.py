"""How acts on a domain answer: with a fragment to htmx, else with a page or a redirect."""

from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget


def ask(request, domain, question, *, active_tab, form=None, status=200, **more):
    """A question: inside the dialog for htmx, else as a page. A form with errors comes back with them."""
    if form and form.errors and status == 200:
        status = 422
    context = {
        "domain": domain,
        "active_tab": active_tab,
        "question": f"domains/{question}",
        "form": form,
        **more,
    }
    template = context["question"] if request.htmx else "domains/ask.html"
    response = render(request, template, context, status=status)
    return reswap(retarget(response, "#dialog"), "innerHTML") if request.htmx else response


def go(request, route, *args):
    """To another page, also out of the dialog."""
    response = redirect(route, *args)
    return HttpResponseClientRedirect(response.url) if request.htmx else response
