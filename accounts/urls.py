"""The pages of django-allauth that have a template here, under its own route names."""

from allauth.account import views as allauth_views
from django.conf import settings
from django.urls import include, path, re_path

from accounts import openid, views
from accounts.openid import views as openid_views
from accounts.two_factor import ReauthenticatePasskeyView
from web.headers import forgotten_by_browser

urlpatterns = [
    path(
        "login/",
        allauth_views.LoginView.as_view(
            extra_context={"signup_open": settings.SIGNUP_OPEN, "openid": openid.name}
        ),
        name="account_login",
    ),
    path("account/oidc/", openid_views.sign_in, name="openid_sign_in"),
    path("account/oidc/callback/", openid_views.callback, name="openid_callback"),
    path("logout/", forgotten_by_browser(allauth_views.logout), name="account_logout"),
    path("signup/", allauth_views.signup, name="account_signup"),
    path("account/", views.profile, name="account_profile"),
    path("account/theme/", views.theme, name="theme"),
    path("account/notifications/", views.notifications, name="account_notifications"),
    path("account/email/", views.email, name="account_email"),
    path("account/email/again/", views.email_again, name="account_email_again"),
    path("account/email/keep/", views.email_keep, name="account_email_keep"),
    path("account/sessions/", views.sessions, name="account_sessions"),
    path("account/sessions/end/", views.end_sessions, name="account_end_sessions"),
    path(
        "account/two-factor/webauthn/reauthenticate/",
        ReauthenticatePasskeyView.as_view(),
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("account/confirmed/", views.confirmed, name="account_confirmed"),
    path("account/nothing-done/", views.nothing_done, name="account_nothing_done"),
    path("account/inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", allauth_views.reauthenticate, name="account_reauthenticate"),
    path(
        "account/confirm-email/", allauth_views.email_verification_sent, name="account_email_verification_sent"
    ),
    re_path(r"^account/confirm-email/(?P<key>[-:\w]+)/$", views.confirm_email, name="account_confirm_email"),
    path("account/password/", allauth_views.password_change, name="account_change_password"),
    path("account/password/set/", allauth_views.password_set, name="account_set_password"),
    path("account/password/reset/", allauth_views.password_reset, name="account_reset_password"),
    path("account/password/reset/done/", allauth_views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^account/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[-:\w]+)/$",
        allauth_views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "account/password/reset/key/done/",
        allauth_views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
