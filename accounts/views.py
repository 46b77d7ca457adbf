from datetime import timedelta

from django.conf import settings
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

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
