"""Check this credential: GET shows the form or the progress, POST starts a check."""

from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import reswap

from audit.actor import Actor
from credentials.views import responses
from credentials.views.access import of_credential
from domains.access import Permission
from submission.livecheck import runs
from submission.livecheck.forms import CheckForm
from web.request import ask_or_act, posted
from web.workers import Busy


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
def check(request, domain, credential):
    form = CheckForm(posted(request), email=request.user.email)
    if not form.is_valid():
        return responses.ask(request, domain, credential, "submission/_check.html", form=form)
    try:
        run_id = runs.start(credential, by=Actor.of(request), sends=form.cleaned_data["sends"])
    except Busy as busy:
        form.add_error(None, str(busy))
        return responses.ask(request, domain, credential, "submission/_check.html", form=form)
    if not request.htmx:
        return redirect("submission:check_run", domain.name, credential.username, run_id)
    return _show(request, domain, credential, run_id)


@require_safe
@of_credential(Permission.MANAGE_CREDENTIALS)
def check_run(request, domain, credential, run_id):
    """The progress of a run: a page, or for htmx the changes since the `seen` steps."""
    if not request.htmx:
        return _show(request, domain, credential, run_id)
    response = _show(request, domain, credential, run_id, seen=request.GET.get("seen", ""))
    # The parts are swapped out of band; the rest of the dialog keeps its focus.
    return reswap(response, "none") if response.status_code == 200 else response


def _show(request, domain, credential, run_id, seen=None):
    run = runs.find(run_id, request.user, credential)
    if run is None:
        response = responses.ask(request, domain, credential, "submission/_check_unknown.html")
        response.status_code = 404
        return response
    return responses.ask(
        request,
        domain,
        credential,
        "submission/_check_run.html",
        page="submission/check.html",
        form=CheckForm(initial={"sends": run["sends"]}, email=request.user.email),
        run=run,
        is_poll=seen is not None,
        has_changed=bool(run["result"]) or seen != str(len(run["steps"])),
        run_url=reverse("submission:check_run", args=[domain.name, credential.username, run_id]),
    )
