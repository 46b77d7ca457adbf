"""Suspend and resume, and the end of a grace period. GET asks, POST acts."""

from django.contrib import messages
from django.utils import timezone

from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from credentials.forms import ConfirmForm, RevokeOldForm
from credentials.models import PasswordChanged, SuspendedBySupport
from credentials.views import responses
from credentials.views.access import of_credential
from credentials.views.page_context import verdict_context
from domains.access import Permission
from web.request import ask_or_act, posted


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def revoke_old(request, domain, credential):
    """Refuse the old password before its grace period is over."""
    form = RevokeOldForm(posted(request), credential=credential)
    if not form.is_bound or "sure" in form.errors:
        verdict = verdict_context(credential, timezone.now())
        return responses.ask(request, domain, credential, "_revoke_old.html", form=form, **verdict)
    try:
        if not form.is_valid():
            raise PasswordChanged
        revoked = credential.revoke_old_password(by=Actor.of(request), seen=form.cleaned_data["seen"])
    except PasswordChanged:
        text = "Nothing was revoked: the password was changed after you opened this page."
        return responses.unchanged(request, domain, credential, text)
    if not revoked:
        return responses.unchanged(request, domain, credential, "The old password is already refused.")
    messages.success(request, "Old password revoked.")
    return responses.changed(request, domain, credential, part="credentials")


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def suspend(request, domain, credential):
    form = ConfirmForm(posted(request), credential=credential)
    if not form.is_valid():
        return responses.ask(request, domain, credential, "_suspend.html", form=form)
    if not credential.suspend(by=Actor.of(request)):
        return responses.unchanged(request, domain, credential, "This SMTP user is already suspended.")
    messages.success(request, "SMTP user suspended.")
    return responses.changed(request, domain, credential, part="stop")


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def resume(request, domain, credential):
    if request.method != "POST":
        return responses.ask(request, domain, credential, "_resume.html")
    try:
        resumed = credential.resume(by=Actor.of(request))
    except SuspendedBySupport:
        text = "Support suspended this SMTP user, so only support can resume it. Contact support."
        return responses.unchanged(request, domain, credential, text)
    if not resumed:
        return responses.unchanged(request, domain, credential, "This SMTP user is not suspended.")
    messages.success(request, "SMTP user resumed.")
    return responses.changed(request, domain, credential, part="stop")
