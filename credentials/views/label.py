"""The label of a credential, edited in its row of the list or on its page."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django_htmx.http import reswap, retarget

from audit.actor import Actor
from credentials.forms import LabelForm
from credentials.models import LabelChanged
from credentials.views import responses
from credentials.views.access import of_credential
from credentials.views.context import row_context
from credentials.views.position import Position
from domains.access import Permission
from web.request import ask_or_act, posted


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
def label(request, domain, credential):
    if request.method != "POST" and not request.htmx:
        return redirect(credential.get_absolute_url() + "?edit=label")
    form = LabelForm(posted(request), credential=credential)
    if not form.is_valid():
        return _form(request, domain, credential, form, status=422 if form.is_bound else 200)
    new, seen = form.cleaned_data["label"], form.cleaned_data["seen"]
    try:
        credential.rename(new, by=Actor.of(request), seen=seen)
    except LabelChanged:
        form = LabelForm({"label": new, "seen": credential.label}, credential=credential)
        form.add_error("label", _changed(credential.label))
        return _form(request, domain, credential, form, status=409)
    messages.success(request, "Label saved.")
    return responses.changed(request, domain, credential, part="label")


def _changed(label) -> str:
    now = f"changed to “{label}”" if label else "removed"
    return f"Nothing was saved yet: the label was {now} in the meantime. Save again to replace it."


def _form(request, domain, credential, form, *, status):
    """The form on the page, or in place of the row's title or of the form that was submitted there."""
    if not request.htmx or responses.is_on_page(request, domain):
        return responses.page(request, domain, credential, editing="label", form=form, status=status)
    position = Position.of(request)
    context = row_context(domain, position=position, credential=credential, form=form, is_changed=status == 409)
    response = render(request, "credentials/_label_form.html", context, status=status)
    if not form.is_bound:
        return response
    return reswap(retarget(response, f"#label-form-{credential.username}"), "outerHTML")
