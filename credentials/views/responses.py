"""Responses of the tab's acts: a fragment for htmx, plain text for our scripts, otherwise a page."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import push_url, reswap, retarget

from credentials.views.context import changed_row_context, list_context, row_context
from credentials.views.position import Position
from credentials.views.rate_limits import TOO_MANY
from web.request import wants_text

GONE = "This SMTP user no longer exists."


def password_text(password: str) -> HttpResponse:
    return HttpResponse(
        password, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
    )


def too_many(request) -> HttpResponse:
    return problem(request, "Too many passwords", TOO_MANY, status=429)


def row(request, domain, credential, *, status=200, **extra):
    """The row after an act on it, for htmx; without htmx, a redirect to it in the list."""
    position = Position.of(request)
    if not request.htmx:
        return redirect(f"{_list_url(domain)}{position.query}#cred-{credential.username}")
    context = changed_row_context(domain, credential, position, **extra)
    return render(request, "credentials/_changed_row.html", context, status=status)


def unchanged(request, domain, credential, text):
    """Report that nothing was done, since the page is out of date; with the row as it is now."""
    credential.refresh_from_db()  # raises DoesNotExist when it is gone
    messages.error(request, text)
    return row(request, domain, credential, status=409)


def ask(request, domain, credential, template, *, form=None, page="credentials/ask.html", **extra):
    """A question about a credential: in the dialog for htmx, otherwise as a page.

    A form with errors is shown again with them and with its input.
    """
    position = Position.of(request)
    context = row_context(
        domain, position=position, credential=credential, active_tab="smtp", form=form, **extra
    )
    status = 422 if form and form.errors else 200
    # The page includes the same partial that the dialog shows.
    context["question"] = template if "/" in template else f"credentials/{template}"
    response = render(request, context["question"] if request.htmx else page, context, status=status)
    return reswap(retarget(response, "#dialog"), "innerHTML") if request.htmx else response


def list_again(request, domain, *, position=None, status=200, new=""):
    """The changed list, where the user is; or at another position, whose URL replaces the page's."""
    where = position or Position.of(request)
    if not request.htmx:
        query = where.query
        return redirect(_list_url(domain) + query + (f"{'&' if query else '?'}new={new}" if new else ""))
    context = list_context(domain, where, new=new)
    response = render(request, "credentials/_changed_list.html", context, status=status)
    if position:
        push_url(response, context["list_link"])
    return reswap(retarget(response, "#credentials"), "outerHTML")


def _list_url(domain) -> str:
    return reverse("credentials:list", args=[domain.name])


def offer_undo(request, domain, text, usernames):
    """Report that these are deleted, with a button to restore them (templates/jinja2/_toast.html)."""
    parts = ["undo", reverse("credentials:restore", args=[domain.name]), *usernames]
    messages.success(request, text, extra_tags=" ".join(parts))


def gone(request, domain):
    if request.htmx:
        messages.error(request, GONE)
        return list_again(request, domain, status=404)
    if wants_text(request):
        return HttpResponse(GONE, status=404, content_type="text/plain")
    return render(request, "credentials/gone.html", {"title": GONE, "domain": domain}, status=404)


def problem(request, title, text, *, status):
    if wants_text(request):
        return HttpResponse(text, status=status, content_type="text/plain")
    context = {"title": title, "text": text, "is_ours": status >= 500}
    return render(request, "problem.html", context, status=status)
