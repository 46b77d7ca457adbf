"""The limits of an SMTP user: allowed networks and expiry date, in forms on its page."""

from django.contrib import messages
from django.shortcuts import redirect

from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from credentials.forms import ExpiryForm, NetworksForm
from credentials.views import responses
from credentials.views.access import of_credential
from domains.access import Permission
from web.request import ask_or_act


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def networks(request, domain, credential):
    """The networks it may be used from."""
    if request.method != "POST":
        return redirect(credential.get_absolute_url() + "?edit=networks#limits")
    form = NetworksForm(request.POST, credential=credential)
    if not form.is_valid():
        return responses.page(request, domain, credential, editing="networks", form=form, status=422)
    credential.set_networks(form.cleaned_data["networks"], by=Actor.of(request))
    messages.success(request, "Allowed networks saved.")
    return responses.changed(request, domain, credential, part="limits")


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def expiry(request, domain, credential):
    """The day after which it is refused."""
    if request.method != "POST":
        return redirect(credential.get_absolute_url() + "?edit=expiry#limits")
    form = ExpiryForm(request.POST, credential=credential)
    if not form.is_valid():
        return responses.page(request, domain, credential, editing="expiry", form=form, status=422)
    credential.set_expiry(form.cleaned_data["day"], by=Actor.of(request))
    messages.success(request, "Expiry date saved." if credential.expires_at else "Expiry date removed.")
    return responses.changed(request, domain, credential, part="limits")


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def extend(request, domain, credential):
    """Move the expiry date by 90 days."""
    if request.method != "POST":
        return redirect(credential.get_absolute_url() + "#limits")  # after signing in again
    if not credential.extend(by=Actor.of(request)):
        text = "Nothing was extended: this SMTP user does not expire within 7 days."
        return responses.unchanged(request, domain, credential, text)
    messages.success(request, "SMTP user extended by 90 days.")
    return responses.changed(request, domain, credential, part="limits")
