"""Help with setting up a site: Connect your site, and Explain an error. Both change nothing."""

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from credentials import snippets
from credentials.diagnosis.explain import explain as explain_line
from credentials.diagnosis.explain import state_of
from credentials.forms import ExplainForm
from credentials.views import responses
from credentials.views.access import of_credential
from credentials.views.context import row_context
from domains.access import Permission
from web.request import ask_or_act, posted


@require_safe
@of_credential(Permission.VIEW)
def connect_site(request, domain, credential):
    """Ready settings for the tool in `?tool=`."""
    tool = snippets.tool_of(request.GET.get("tool"))
    values = snippets.values(credential, request.user.email)
    context = row_context(
        domain,
        active_tab="smtp",
        credential=credential,
        tools=snippets.TOOLS,
        tool=tool,
        fields=snippets.fill(tool, values),
        trouble=state_of(credential, timezone.now()),
        is_self_signed=snippets.is_self_signed(),
    )
    return render(request, "credentials/connect.html", values | context)


@ask_or_act
@of_credential(Permission.VIEW)
def explain(request, domain, credential):
    """What a line from a site's log means. The line is not stored."""
    form = ExplainForm(posted(request))
    answer = None
    if form.is_valid():
        answer = explain_line(form.cleaned_data["line"], credential, now=timezone.now())
    return responses.ask(request, domain, credential, "_explain.html", form=form, answer=answer)
