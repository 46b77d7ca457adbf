"""Hand over: makes and revokes one-time links for somebody without an account. GET asks, POST acts."""

from django.contrib import messages
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import emails
from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from credentials.forms import HandOverForm
from credentials.models import NotAccepted, TooManyOpen
from credentials.models.hand_over import MAX_OPEN
from credentials.views import responses
from credentials.views.access import of_credential
from credentials.views.hand_over_context import NOT_ACCEPTED, hand_over_context
from credentials.views.rate_limits import may_open_password
from domains.access import Permission
from web.request import ask_or_act, posted

NO_LONGER_OPEN = "This link is no longer open: it was opened or revoked, or its time is over."
TOO_MANY_OPEN = f"{MAX_OPEN} links are open. Revoke one first."


@ask_or_act
@of_credential(Permission.REVEAL_PASSWORDS)
@recent_sign_in
@sensitive_variables("key", "link")
def hand_over(request, domain, credential):
    """Make a link, which the answer to this POST shows and nothing else does."""
    form = HandOverForm(posted(request))
    if not form.is_valid():
        return _ask(request, domain, credential, form)
    if not may_open_password(request):
        return responses.too_many(request)
    try:
        made, key = credential.hand_overs.make(form.cleaned_data["valid_for"], by=Actor.of(request))
    except NotAccepted as refusal:
        return _not_made(request, domain, credential, NOT_ACCEPTED[refusal.outcome])
    except TooManyOpen:
        return _not_made(request, domain, credential, TOO_MANY_OPEN)
    link = emails.address("hand_over", key)
    return responses.ask(request, domain, credential, "_handed_over.html", link=link, made=made)


@ask_or_act
@of_credential(Permission.REVEAL_PASSWORDS)
@recent_sign_in
def revoke(request, domain, credential, public_id):
    """End an open link, whoever made it."""
    rows = credential.hand_overs.unused(timezone.now()).select_related("credential__domain", "made_by")
    found = rows.filter(public_id=public_id).first()
    if found and request.method != "POST":
        return responses.ask(request, domain, credential, "_revoke_hand_over.html", hand_over=found)
    if found and found.revoke(by=Actor.of(request)):
        messages.success(request, "Hand-over link revoked.")
    else:
        messages.error(request, NO_LONGER_OPEN)
    return redirect(credential.get_absolute_url() + "#hand-over")


def _ask(request, domain, credential, form=None):
    context = hand_over_context(credential, form=form)
    form = context["hand_over_form"]
    return responses.ask(request, domain, credential, "_hand_over.html", **context | {"form": form})


def _not_made(request, domain, credential, why):
    messages.error(request, why)
    response = _ask(request, domain, credential)
    response.status_code = 409
    return response
