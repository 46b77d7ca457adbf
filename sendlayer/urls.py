from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

import domains.converters  # noqa: F401  (registers <domain:…>)

handler500 = "sendlayer.failures.server_error"
# The admin is reached through the same rate-limited sign-in as everything else.
admin.site.login = secure_admin_login(admin.site.login)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("domains.urls")),
    path("domains/<domain:name>/activity/", include("audit.urls")),
    path("domains/<domain:name>/settings/smtp/", include("credentials.urls")),
    path("domains/<domain:name>/settings/smtp/", include("submission.urls")),
]
