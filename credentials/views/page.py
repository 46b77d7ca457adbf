"""The page of one SMTP user, its parts that are edited or asked there, and where its parts were before."""

from urllib.parse import urlencode

from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from credentials.diagnosis.explain import explain as explain_line
from credentials.forms import ExpiryForm, ExplainForm, LabelForm, NetworksForm
from credentials.views import responses
from credentials.views.access import of_credential
from domains.access import Permission
from web.request import ask_or_act

FORMS = {"label": LabelForm, "networks": NetworksForm, "expiry": ExpiryForm}


@require_safe
@of_credential(Permission.VIEW)
def page(request, domain, credential):
    """The page, with the form of `?edit=` open."""
    editing = request.GET.get("edit")
    if editing in FORMS and domain.can["manage_credentials"]:
        form = FORMS[editing](credential=credential)
        return responses.page(request, domain, credential, editing=editing, form=form)
    return responses.page(request, domain, credential)


@ask_or_act
@of_credential(Permission.VIEW)
def explain(request, domain, credential):
    """What a line from a site's log means. The line is not stored."""
    if request.method != "POST":
        return redirect(credential.get_absolute_url() + "#check")
    form = ExplainForm(request.POST)
    line = form["line"].value()
    if not form.is_valid():
        return responses.page(
            request, domain, credential, line=line, line_errors=form.errors["line"], status=422
        )
    answer = explain_line(form.cleaned_data["line"], credential, now=timezone.now())
    return responses.page(request, domain, credential, line=line, answer=answer)


def part(fragment, **kept):
    """Return a view of an address from before there was the page: it leads to that part.

    `kept` are names in the query, and what they are called on the page.
    """

    @require_safe
    @of_credential(Permission.VIEW)
    def lead(request, domain, credential):
        query = urlencode({name: request.GET[old] for old, name in kept.items() if old in request.GET})
        return redirect(f"{credential.get_absolute_url()}{query and '?' + query}#{fragment}")

    return lead


clients = part("use", page="clients")
connect = part("connect", tool="tool")
refused = part("use")
