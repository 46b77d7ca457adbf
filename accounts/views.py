"""A person's own account. Sign-in, two-factor and passwords are django-allauth's views."""

from datetime import timedelta

from allauth.account import views as allauth_views
from allauth.account.models import EmailAddress, get_emailconfirmation_model
from allauth.decorators import rate_limit
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

import audit
from accounts import ended_session
from accounts.forms import EmailForm, NotificationsForm, ProfileForm, send_link
from accounts.models import User
from accounts.reauthentication import recent_sign_in
from accounts.sessions.listing import places_of
from audit.actor import Actor
from web.request import ask_or_act, posted

THEMES = {"light", "dark"}
REMEMBER_THEME = timedelta(days=365)


@ask_or_act
def profile(request):
    form = ProfileForm(posted(request), initial={"name": request.user.name})
    if form.is_valid():
        request.user.name = form.cleaned_data["name"]
        with transaction.atomic():
            request.user.save(update_fields=["name"])
            audit.record("account.renamed", by=Actor.of(request), data={"name": request.user.name})
        messages.success(request, "Name saved.")
        return redirect("account_profile")
    return _page(request, "account/profile.html", form)


@ask_or_act
@recent_sign_in
@rate_limit(action="manage_email")
def email(request):
    form = EmailForm(posted(request), user=request.user)
    if form.is_valid():
        form.save(request)
        messages.success(request, f"Open the link that we sent to {form.cleaned_data['email']}.")
        return redirect("account_email")
    return _page(request, "account/email.html", form, pending=EmailAddress.objects.get_new(request.user))


@require_POST
@recent_sign_in
@rate_limit(action="manage_email")
def email_again(request):
    """Send the link again."""
    if pending := EmailAddress.objects.get_new(request.user):
        send_link(request, pending)
        messages.success(request, f"We sent the link to {pending.email} again, unless it was sent just before.")
    return redirect("account_email")


@require_POST
def email_keep(request):
    """Cancel the change; the mailed link becomes void."""
    if pending := EmailAddress.objects.get_new(request.user):
        with transaction.atomic():
            User.objects.hold(request.user.pk)
            pending.delete()
            audit.record("account.email_kept", by=Actor.of(request), data={"to_email": pending.email})
        messages.success(request, f"Your e-mail address remains {request.user.email}.")
    return redirect("account_email")


@login_not_required
def confirm_email(request, key):
    """Open the mailed link.

    A user who changes an address has to be signed in: otherwise a typing error would give the account,
    whose password can be reset by mail, to a stranger.
    """
    confirmation = get_emailconfirmation_model().from_key(key)
    owner = confirmation and confirmation.email_address.user
    if owner and owner.email != confirmation.email_address.email:
        if request.user.is_anonymous:
            return redirect_to_login(request.get_full_path())
        if request.user != owner:
            title = "This link is for another account"
            text = (
                "Sign out, sign in to the account whose e-mail address you're changing, and "
                "open the link again."
            )
            return render(request, "problem.html", {"title": title, "text": text}, status=403)
    return allauth_views.confirm_email(request, key=key)


@require_safe
def sessions(request):
    return render(request, "account/sessions.html", {"places": places_of(request)})


@ask_or_act
@recent_sign_in
def end_sessions(request):
    """Sign out everywhere else."""
    if request.method != "POST":
        return redirect("account_sessions")
    session_key = request.session.session_key
    with transaction.atomic():
        request.user.end_sessions()
        UserSession.objects.filter(user=request.user).exclude(session_key=session_key).delete()
        update_session_auth_hash(request, request.user)  # which gives this session a new key
        UserSession.objects.filter(session_key=session_key).update(session_key=request.session.session_key)
        audit.record("account.sessions_ended", by=Actor.of(request))
    messages.success(request, "You're signed out everywhere else.")
    return redirect("account_sessions")


@require_safe
def confirmed(request):
    """End of a confirmation inside the dialog: makes our script go on."""
    if not request.htmx:
        return redirect("domains:home")
    return trigger_client_event(HttpResponse(status=204), "identity-confirmed")


@require_safe
def nothing_done(request):
    """Where a sign-in leads after an act that was posted when the session had ended."""
    return render(request, "account/nothing_done.html", ended_session.places(request))


@require_POST
def theme(request):
    """Remember light or dark in a cookie; anything else follows the user's system again."""
    back = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = resolve_url("domains:home")
    response = HttpResponseRedirect(back)  # redirect() takes text without a slash for the name of a route
    choice = request.POST.get("theme")
    if choice in THEMES:
        response.set_cookie(
            settings.THEME_COOKIE_NAME,
            choice,
            REMEMBER_THEME,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie(settings.THEME_COOKIE_NAME, samesite="Lax")
    return response


@ask_or_act
@recent_sign_in
def notifications(request):
    """Which notifications a user gets. A thief of a session must not turn them off."""
    form = NotificationsForm(posted(request), instance=request.user)
    if form.is_valid():
        with transaction.atomic():
            form.save()
            audit.record("account.notifications_set", by=Actor.of(request), data=form.cleaned_data)
        messages.success(request, "Notifications saved.")
        return redirect("account_notifications")
    return _page(request, "account/notifications.html", form)


def _page(request, template, form, **extra):
    return render(request, template, {"form": form, **extra}, status=422 if form.errors else 200)
