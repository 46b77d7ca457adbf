"""Suspend and Delete for the SMTP users that are selected in the tab. GET asks, POST acts."""

from django.contrib import messages

from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from credentials import bulk
from credentials.forms import BulkForm
from credentials.views import responses, selection
from credentials.views.hand_over_context import count_open_links
from domains.access import Permission, of_domain
from web.request import ask_or_act, posted


@ask_or_act
@of_domain(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def suspend(request, domain):
    return _ask_or_act(request, domain, "_suspend_selected.html", _suspend)


@ask_or_act
@of_domain(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def delete(request, domain):
    return _ask_or_act(request, domain, "_delete_selected.html", _delete)


def _suspend(request, domain, usernames):
    done = bulk.suspend(domain, usernames, by=Actor.of(request))
    messages.success(request, selection.sentence(done, "suspended"))


def _delete(request, domain, usernames):
    done = bulk.remove(domain, usernames, by=Actor.of(request))
    if done.usernames:
        responses.offer_undo(request, domain, selection.sentence(done, "deleted"), done.usernames)
    else:
        messages.error(request, selection.sentence(done, "deleted"))


def _ask_or_act(request, domain, question, act):
    try:
        usernames = selection.usernames(request.POST if request.method == "POST" else request.GET)
    except selection.BadSelection as problem:
        messages.error(request, str(problem))
        return responses.list_again(request, domain, status=422)
    credentials = list(domain.credentials.oldest_first().without_secrets().filter(username__in=usernames))
    if not credentials:
        messages.error(request, "These SMTP users no longer exist.")
        return responses.list_again(request, domain, status=404)
    form = BulkForm(posted(request), credentials=credentials)
    if not form.is_valid():
        gone = len(usernames) - len(credentials)
        extra = {"credentials": credentials, "gone": gone, "open_links": count_open_links(*credentials)}
        return responses.ask(request, domain, None, question, form=form, **extra)
    act(request, domain, usernames)
    return responses.list_again(request, domain)
