"""Responses of acts on SMTP users: a fragment for htmx, plain text for our scripts, otherwise a page.

An act on one SMTP user is answered where it was done: on its page by the page, in the list by its row.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect, push_url, replace_url, reswap, retarget

from credentials.models.base import is_username
from credentials.nodes.proof import number_of_deletion
from credentials.views.context import changed_row_context, list_context, row_context
from credentials.views.page_context import on_page, page_context, page_query
from credentials.views.position import Position
from credentials.views.rate_limits import TOO_MANY
from web.paths import path_of
from web.request import htmx_page, wants_text

GONE = "This SMTP user no longer exists."


def password_text(password: str) -> HttpResponse:
    return HttpResponse(
        password, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
    )


def too_many(request) -> HttpResponse:
    return problem(request, "Too many passwords", TOO_MANY, status=429)


def is_on_page(request, domain) -> bool:
    """Whether an act was begun on the page of an SMTP user, not in the list."""
    if not request.htmx:
        return request.GET.get("on") == "page"
    below_list = htmx_page(request).path.removeprefix(_list_url(domain))
    return is_username(below_list.partition("/")[0])


def page(request, domain, credential, *, status=200, **extra):
    """The page of a credential; a form with errors is shown again at its place."""
    context = page_context(request, domain, credential, **extra)
    if not request.htmx:
        return render(request, "credentials/page.html", context, status=status)
    response = render(request, "credentials/_changed_page.html", context, status=status)
    return reswap(retarget(response, f"#cred-{credential.username}"), "outerHTML")


def changed(request, domain, credential, *, part="", status=200, **extra):
    """After an act on a credential: its page, at the `part` that the act was about; in the list, its row."""
    if is_on_page(request, domain):
        here = _page_url(request, credential)
        if not request.htmx:
            return redirect(f"{here}#{part}" if part else here)
        return replace_url(page(request, domain, credential, status=status, done=part, **extra), here)
    position = Position.of(request)
    if not request.htmx:
        return redirect(f"{_list_url(domain)}{position.query}#cred-{credential.username}")
    context = changed_row_context(domain, credential, position, **extra)
    return render(request, "credentials/_changed_row.html", context, status=status)


def _page_url(request, credential) -> str:
    """The address of the page as the user has it open, without the form and the act."""
    query = page_query(request).copy()
    for name in ("edit", "on"):
        query.pop(name, None)
    return credential.get_absolute_url() + (f"?{query.urlencode()}" if query else "")


def unchanged(request, domain, credential, text):
    """Report that nothing was done, since the page is out of date; with the credential as it is now."""
    credential.refresh_from_db()  # raises DoesNotExist when it is gone
    messages.error(request, text)
    return changed(request, domain, credential, status=409)


def ask(request, domain, credential, template, *, form=None, page="credentials/ask.html", **extra):
    """A question about a credential: in the dialog for htmx, otherwise as a page.

    A form with errors is shown again with them and with its input.
    """
    position = Position.of(request)
    context = row_context(
        domain, position=position, credential=credential, active_tab="smtp", form=form, **extra
    )
    if is_on_page(request, domain):
        context |= on_page(position) | {"list_link": _page_url(request, credential)}
    status = 422 if form and form.errors else 200
    # The page includes the same partial that the dialog shows.
    context["question"] = template if "/" in template else f"credentials/{template}"
    response = render(request, context["question"] if request.htmx else page, context, status=status)
    return reswap(retarget(response, "#dialog"), "innerHTML") if request.htmx else response


def list_again(request, domain, *, position=None, status=200, new=""):
    """The changed list, where the user is; or at another position, whose URL replaces the page's."""
    where = position or Position.of(request)
    here = _list_url(domain) + where.query
    if is_on_page(request, domain):  # it's gone
        return HttpResponseClientRedirect(here) if request.htmx else redirect(here)
    if not request.htmx:
        return redirect(here + (f"{'&' if where.query else '?'}new={new}" if new else ""))
    context = list_context(domain, where, new=new)
    response = render(request, "credentials/_changed_list.html", context, status=status)
    if position:
        push_url(response, context["list_link"])
    return reswap(retarget(response, "#credentials"), "outerHTML")


def _list_url(domain) -> str:
    return path_of("credentials:list", domain.name)


def offer_undo(request, domain, text, usernames):
    """Report that these are deleted, with a button to restore them (templates/jinja2/_toast.html)."""
    parts = ["undo", path_of("credentials:restore", domain.name), *usernames]
    messages.success(request, text, extra_tags=" ".join(parts))


def gone(request, domain, username):
    """Report that there is no such SMTP user; with the proof of its deletion, if it was here."""
    if request.htmx:
        messages.error(request, GONE)
        return list_again(request, domain, status=404)
    if wants_text(request):
        return HttpResponse(GONE, status=404, content_type="text/plain")
    context = {"title": GONE, "domain": domain, "username": username}
    context["number"] = number_of_deletion(domain, username)
    return render(request, "credentials/gone.html", context, status=404)


def problem(request, title, text, *, status):
    if wants_text(request):
        return HttpResponse(text, status=status, content_type="text/plain")
    context = {"title": title, "text": text, "is_ours": status >= 500}
    return render(request, "problem.html", context, status=status)
