from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect
from django.urls import include, path
from django.views.decorators.cache import never_cache

import domains.url_converters  # noqa: F401  (registers <domain:…>)
from accounts.reauthentication import recent_sign_in_to_post
from credentials.views.hand_over_link import hand_over_link
from web.headers import forgotten_by_browser


@never_cache
@login_not_required
def _admin_sign_in(request, extra_context=None):
    """Redirect signed-in staff to the admin.

    Django's own form would accept any user's password, without limits or second factor.
    """
    return redirect("admin:index")


# The admin is reached through the same rate-limited sign-in as everything else.
admin.site.login = secure_admin_login(_admin_sign_in)
admin.site.logout = forgotten_by_browser(admin.site.logout)
_admin_view = admin.site.admin_view


def _admin_view_of_recent_sign_in(view, cacheable=False):
    """Wrap every page of the admin: each POST requires a recent sign-in."""
    return _admin_view(view if view == admin.site.logout else recent_sign_in_to_post(view), cacheable)


admin.site.admin_view = _admin_view_of_recent_sign_in

# What is asked most comes first: patterns are tried in turn.
urlpatterns = [
    path("", include("credentials.urls")),
    path("domains/<domain:name>/activity/", include("domains.activity.urls")),
    path("", include("domains.urls")),
    path("domains/<domain:name>/settings/smtp/", include("submission.livecheck.urls")),
    # A secret after /key/ is kept out of the logs (web/logs.py).
    path("hand-over/key/<str:key>/", hand_over_link, name="hand_over"),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "web.errors.bad_request"
handler403 = "web.errors.permission_denied"
handler404 = "web.errors.not_found"
handler500 = "web.errors.server_error"
