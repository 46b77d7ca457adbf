"""The SMTP Credentials tab. GET asks or shows, POST acts."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from accounts.reauthentication import recent_sign_in
from audit.actor import Actor
from credentials import rotation
from credentials.forms import AddForm, ConfirmForm, ResetForm
from credentials.models import PasswordChanged
from credentials.models.listing import Sort
from credentials.views import csv_rows, responses
from credentials.views.access import of_credential
from credentials.views.context import list_context
from credentials.views.hand_over_context import count_open_links
from credentials.views.position import START, Position
from credentials.views.rate_limits import may_open_password
from domains.access import Permission, of_domain
from web.csv_export import csv_file
from web.request import ask_or_act, posted, wants_text

DOMAIN_SUSPENDED = "No SMTP user was added: support suspended this domain. Contact support."
DOMAIN_NOT_AUTHORIZED = "Authorize the domain first: until then it can't send."


@require_safe
@of_domain(Permission.VIEW)
def credential_list(request, domain):
    context = list_context(domain, Position.of(request), new=request.GET.get("new"))
    return render(request, "credentials/_found.html" if request.htmx else "credentials/list.html", context)


@require_safe
@of_domain(Permission.VIEW)
def export(request, domain):
    """The list, or what a search and filter leave of it, as CSV."""
    rows = csv_rows.rows(domain, Position.of(request))
    return csv_file(f"{domain.name}-smtp-credentials.csv", csv_rows.COLUMNS, rows)


@ask_or_act
@of_domain(Permission.MANAGE_CREDENTIALS)
def add(request, domain):
    if request.method != "POST":
        return redirect("credentials:list", domain.name)
    form = AddForm(request.POST)
    if not domain.is_authorized:
        messages.error(request, DOMAIN_SUSPENDED if domain.suspended_at else DOMAIN_NOT_AUTHORIZED)
        return responses.list_again(request, domain, position=START, status=409)
    if not form.is_valid():
        messages.error(request, "This page is out of date. Press Add New SMTP User again.")
        return responses.list_again(request, domain, position=START, status=422)
    credential, created = domain.credentials.issue_once(form.cleaned_data["key"], by=Actor.of(request))
    if created:
        messages.success(request, "New SMTP user is added.")
    # To where the new row is: at the end, or at the top for a user who has the newest there.
    is_newest_first = Position.of(request).sort == Sort.NEWEST
    position = Position(sort=Sort.NEWEST) if is_newest_first else Position(number="last")
    return responses.list_again(request, domain, position=position, new=credential.username)


@ask_or_act
@of_credential(Permission.REVEAL_PASSWORDS)
@recent_sign_in
@sensitive_variables("password")
def reveal(request, domain, credential):
    """Show the password: as text for our script, without JavaScript on a page of its own."""
    if request.method != "POST":
        return responses.ask(request, domain, credential, "_reveal.html")
    if not may_open_password(request):
        return responses.too_many(request)
    password = credential.reveal("credential.password_shown", by=Actor.of(request))
    if wants_text(request):
        return responses.password_text(password)
    # The only page with a password: the answer to this POST, which no cache stores.
    return responses.ask(request, domain, credential, "_revealed.html", password=password)


@require_POST
@of_credential(Permission.REVEAL_PASSWORDS)
@recent_sign_in
def copy(request, domain, credential):
    """Return the password for the clipboard."""
    if not may_open_password(request):
        return responses.too_many(request)
    return responses.password_text(credential.reveal("credential.password_copied", by=Actor.of(request)))


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def reset(request, domain, credential):
    form = ResetForm(posted(request), credential=credential)
    if not form.is_bound or form.errors.keys() & {"sure", "keep"}:
        extra = {"keep_for": rotation.CHOICES, "open_links": count_open_links(credential)}
        return responses.ask(request, domain, credential, "_reset.html", form=form, **extra)
    try:
        if not form.is_valid():
            raise PasswordChanged
        seen, keep = form.cleaned_data["seen"], form.cleaned_data["keep"]
        credential.reset_password(by=Actor.of(request), seen=seen, keep_old_for=keep)
    except PasswordChanged:
        text = "Nothing was reset: the password was changed after you opened this page."
        return responses.unchanged(request, domain, credential, text)
    messages.success(request, "SMTP password is reset.")
    return responses.changed(request, domain, credential, part="credentials", was_reset=True)


@ask_or_act
@of_credential(Permission.MANAGE_CREDENTIALS)
@recent_sign_in
def delete(request, domain, credential):
    form = ConfirmForm(posted(request), credential=credential)
    if not form.is_valid():
        links = count_open_links(credential)
        return responses.ask(request, domain, credential, "_delete.html", form=form, open_links=links)
    credential.remove(by=Actor.of(request))
    responses.offer_undo(request, domain, "SMTP user is deleted.", [credential.username])
    return responses.list_again(request, domain)
