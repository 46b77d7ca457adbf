"""What helps whoever sets up a site: Connect your site, and Explain an error. Both only show."""

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from credentials import answers, connect
from credentials.explaining.answers import explain as explain_line
from credentials.explaining.answers import state_of
from credentials.forms import ExplainForm
from credentials.page import row_context
from domains.access import Permission
from sendlayer.asking import ask_or_act, posted


@require_safe
@answers.of_credential(Permission.VIEW)
def connect_site(request, domain, credential):
    """Ready settings for the tool that `?tool=` names."""
    tool = connect.tool_of(request.GET.get("tool"))
    known = connect.values(credential, request.user.email)
    context = row_context(
        domain,
        at="smtp",
        credential=credential,
        tools=connect.TOOLS,
        tool=tool,
        fields=connect.fill(tool, known),
        trouble=state_of(credential, timezone.now()),
        is_self_signed=connect.is_self_signed(),
    )
    return render(request, "credentials/connect.html", known | context)


@ask_or_act
@answers.of_credential(Permission.VIEW)
def explain(request, domain, credential):
    """What a line from a site's log means. Nothing of it is kept."""
    form = ExplainForm(posted(request))
    answer = None
    if form.is_valid():
        answer = explain_line(form.cleaned_data["line"], credential, now=timezone.now())
    return answers.ask(request, domain, credential, "_explain.html", form=form, answer=answer)
