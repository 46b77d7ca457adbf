from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

import domains.converters  # noqa: F401  (registers <domain:…>)
from sendlayer.headers import forgotten_by_browser

# The admin is reached through the same rate-limited sign-in as everything else.
admin.site.login = secure_admin_login(admin.site.login)
admin.site.logout = forgotten_by_browser(admin.site.logout)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("domains.urls")),
    path("domains/<domain:name>/activity/", include("audit.urls")),
    path("domains/<domain:name>/settings/smtp/", include("credentials.urls")),
    path("domains/<domain:name>/settings/smtp/", include("submission.urls")),
]

handler400 = "sendlayer.errors.bad_request"
handler403 = "sendlayer.errors.permission_denied"
handler404 = "sendlayer.errors.not_found"
handler500 = "sendlayer.errors.server_error"
