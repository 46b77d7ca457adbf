"""How the tab's acts answer: a fragment to htmx, plain text to our scripts, else a page."""

from functools import wraps

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import push_url, reswap, retarget

from credentials.models import Credential
from credentials.views.context import list_context, row_context, tried_of
from credentials.views.rate_limits import TOO_MANY
from domains.access import get_domain
from vault import cipher
from web.request import list_position, wants_text

GONE = "This SMTP user no longer exists."
SEALED = (
    "This password can't be shown: none of the server's keys opens it. "
    "Ask the operator to check CREDENTIAL_KEYS, or reset the password."
)


def of_credential(permission):
    """Decorate a view of one credential: it gets (request, domain, credential).

    The credential is looked up among those of the domain that the person was let into,
    so another domain's one is as absent as one that was deleted in another tab.
    """

    def decorate(view):
        @wraps(view)
        def answer(request, name, username, **more):
            domain = get_domain(request, name, permission)
            try:
                credential = domain.credentials.without_secrets().get(username=username)
                return view(request, domain, credential, **more)
            except Credential.DoesNotExist:
                return _gone(request, domain)
            except cipher.CannotOpen:
                return _problem(request, "The password can't be opened", SEALED, status=503)

        return answer

    return decorate


def password_text(password: str) -> HttpResponse:
    return HttpResponse(
        password, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
    )


def too_many(request) -> HttpResponse:
    return _problem(request, "Too many passwords", TOO_MANY, status=429)


def row(request, domain, credential, *, status=200, **more):
    """The one row after an act on it, for htmx; without htmx, back to the list."""
    if not request.htmx:
        return redirect("credentials:list", domain.name)
    changed = list(domain.credentials.for_page().filter(pk=credential.pk))
    context = row_context(domain, changed=changed, tried=tried_of(changed), **more)
    return render(request, "credentials/_changed_row.html", context, status=status)


def ask(request, domain, credential, template, *, form=None, page="credentials/ask.html", **more):
    """A question about one credential: inside the dialog for htmx, else as a page.

    A form with errors comes back with them, and with what was typed.
    """
    context = row_context(domain, credential=credential, at="smtp", form=form, **more)
    status = 422 if form and form.errors else 200
    # The page includes the same partial that the dialog shows.
    context["question"] = template if "/" in template else f"credentials/{template}"
    response = render(request, context["question"] if request.htmx else page, context, status=status)
    return reswap(retarget(response, "#dialog"), "innerHTML") if request.htmx else response


def list_again(request, domain, *, number=None, status=200, new=""):
    """The list after it changed: at the page the person is on, or at `number` without their search."""
    url = reverse("credentials:list", args=[domain.name])
    if not request.htmx:
        query = f"?page={number}&new={new}" if new else ""
        return redirect(url + query)
    where = {"number": number} if number else list_position(request)
    context = list_context(domain, new=new, **where)
    response = render(request, "credentials/_changed_list.html", context, status=status)
    if number:
        push_url(response, f"{url}?page={context['page'].number}")
    return reswap(retarget(response, "#credentials"), "outerHTML")


def offer_undo(request, domain, text, usernames):
    """Say that these are deleted, with a button that brings them back (templates/jinja2/_toast.html)."""
    parts = ["undo", reverse("credentials:restore", args=[domain.name]), *usernames]
    messages.success(request, text, extra_tags=" ".join(parts))


def _gone(request, domain):
    if request.htmx:
        messages.error(request, GONE)
        return list_again(request, domain, status=404)
    if wants_text(request):
        return HttpResponse(GONE, status=404, content_type="text/plain")
    return render(request, "credentials/gone.html", {"title": GONE, "domain": domain}, status=404)


def _problem(request, title, text, *, status):
    if wants_text(request):
        return HttpResponse(text, status=status, content_type="text/plain")
    context = {"title": title, "text": text, "is_ours": status >= 500}
    return render(request, "problem.html", context, status=status)
