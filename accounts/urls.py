"""The pages of django-allauth that have a template here, under its own route names."""

from allauth.account import views
from django.conf import settings
from django.urls import include, path, re_path

from accounts import openid
from accounts import views as own
from accounts.openid import views as openid_views
from accounts.two_factor import ReauthenticatePasskeyView
from web.headers import forgotten_by_browser

urlpatterns = [
    path(
        "login/",
        views.LoginView.as_view(extra_context={"signup_open": settings.SIGNUP_OPEN, "openid": openid.name}),
        name="account_login",
    ),
    path("account/oidc/", openid_views.sign_in, name="openid_sign_in"),
    path("account/oidc/callback/", openid_views.callback, name="openid_callback"),
    path("logout/", forgotten_by_browser(views.logout), name="account_logout"),
    path("signup/", views.signup, name="account_signup"),
    path("account/", own.profile, name="account_profile"),
    path("account/theme/", own.theme, name="theme"),
    path("account/notifications/", own.notifications, name="account_notifications"),
    path("account/email/", own.email, name="account_email"),
    path("account/email/again/", own.email_again, name="account_email_again"),
    path("account/email/keep/", own.email_keep, name="account_email_keep"),
    path("account/sessions/", own.sessions, name="account_sessions"),
    path("account/sessions/end/", own.end_sessions, name="account_end_sessions"),
    path(
        "account/two-factor/webauthn/reauthenticate/",
        ReauthenticatePasskeyView.as_view(),
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("account/confirmed/", own.confirmed, name="account_confirmed"),
    path("account/inactive/", views.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("account/confirm-email/", views.email_verification_sent, name="account_email_verification_sent"),
    re_path(r"^account/confirm-email/(?P<key>[-:\w]+)/$", own.confirm_email, name="account_confirm_email"),
    path("account/password/", views.password_change, name="account_change_password"),
    path("account/password/set/", views.password_set, name="account_set_password"),
    path("account/password/reset/", views.password_reset, name="account_reset_password"),
    path("account/password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^account/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[-:\w]+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "account/password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
