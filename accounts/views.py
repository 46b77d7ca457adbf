from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import NotificationsForm

THEMES = {"light", "dark"}
REMEMBER_THEME = timedelta(days=365)


@require_POST
def theme(request):
    """Remember light or dark in a cookie; anything else follows the person's system again."""
    back = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "domains:home"
    response = redirect(back)
    choice = request.POST.get("theme")
    if choice in THEMES:
        response.set_cookie(
            "theme",
            choice,
            REMEMBER_THEME,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request):
    """What a person is told by mail."""
    form = NotificationsForm(request.POST if request.method == "POST" else None, instance=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, "Notifications are saved.")
        return redirect("account_notifications")
    return render(request, "account/notifications.html", {"form": form})
