import logging
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare

import audit
from accounts import email_addresses, emails
from accounts.allauth_internals import truncate_ip
from accounts.client_address import address_of, limited_address
from accounts.models import User
from accounts.password_validators import MaximumLengthValidator, bounded
from accounts.reauthentication import signed_in_recently
from audit.actor import Actor

log = logging.getLogger(__name__)
# Session key of the hash that changes with the password and when all sessions of a user are ended.
BEGUN_BY = "sign_in_begun_by"
# Notification mail → tag of the event that is recorded with it.
EVENTS = {
    "account/email/email_changed": "account.email_changed",
    "account/email/password_changed": "account.password_changed",
    "account/email/password_set": "account.password_changed",
    "account/email/password_reset": "account.password_reset",
    "mfa/email/totp_activated": "account.totp_added",
    "mfa/email/totp_deactivated": "account.totp_removed",
    "mfa/email/webauthn_added": "account.passkey_added",
    "mfa/email/webauthn_removed": "account.passkey_removed",
    "mfa/email/recovery_codes_generated": "account.recovery_codes_replaced",
}


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in by this project's settings and rules instead of allauth's own."""

    def is_open_for_signup(self, request):
        return settings.SIGNUP_OPEN

    def clean_email(self, email):
        return email_addresses.clean(email)

    def get_client_ip(self, request):
        return limited_address(request)

    def is_safe_url(self, url):
        """Whether a sign-in or sign-out may lead to this URL: only to a path of this site.

        allauth takes any other word for the name of a route, and fails on "http://[".
        """
        try:
            return url.startswith("/") and super().is_safe_url(url)
        except ValueError:
            return False

    def is_reauthentication_required(self, *, app, **kwargs):
        # allauth's own rule asks again right after the sign-in, too.
        return not signed_in_recently(self.request)

    def get_login_redirect_url(self, request):
        """Lead support staff to the admin, unless `next` names another page."""
        return reverse("admin:index") if request.user.is_staff else super().get_login_redirect_url(request)

    def _get_login_attempts_cache_key(self, request, **credentials):
        """Count by account and address: by account alone, anyone could lock a user out.

        The Host header, which allauth adds, is left out: a client may write any port in it.
        """
        account = User.objects.normalize_email(credentials.get("email", ""))
        return f"{account} {truncate_ip(address_of(request))}"

    def pre_authenticate(self, request, **credentials):
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            log.warning("Too many passwords were tried from %s", address_of(request))
            raise

    def authenticate(self, request, **credentials):
        credentials["password"] = bounded(credentials.get("password"))
        return super().authenticate(request, **credentials)

    def clean_password(self, password, user=None):
        MaximumLengthValidator().validate(password)  # first: the other rules would read all of it
        return super().clean_password(password, user)

    def pre_login(self, request, user, **extra):
        """Start a sign-in and remember the password it started with: later steps may come minutes later."""
        request.session[BEGUN_BY] = user.get_session_auth_hash()
        return super().pre_login(request, user, **extra)

    def login(self, request, user):
        """Complete a sign-in, unless the user was deactivated or got another password in the meantime."""
        begun_by = request.session.pop(BEGUN_BY, "")
        if not user.is_active or not constant_time_compare(begun_by, user.get_session_auth_hash()):
            log.warning("Refused: the account of person %s changed during the sign-in", user.pk)
            request.session.flush()
            messages.error(request, "Your account changed during the sign-in. Sign in again.")
            raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)

    def confirm_email(self, request, email_address):
        """Make the confirmed address the login, unless another account took it in the meantime."""
        taken = User.objects.filter(email=email_address.email).exclude(pk=email_address.user_id)
        try:
            with transaction.atomic():
                User.objects.hold(email_address.user_id)
                if not taken.exists():
                    return super().confirm_email(request, email_address)
        except IntegrityError:
            log.info("An e-mail address was taken while it was being confirmed.")
        messages.error(request, "This address can't be used: it belongs to another account.")
        return False

    def get_reset_password_from_key_url(self, key):
        return _on_dashboard_url(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request, emailconfirmation):
        return _on_dashboard_url(super().get_email_confirmation_url(request, emailconfirmation))

    def send_confirmation_mail(self, request, emailconfirmation, signup):
        """Mail the link. For the login of another user it is discarded instead, in the same time."""
        address = emailconfirmation.email_address
        if User.objects.filter(email=address.email).exclude(pk=address.user_id).exists():
            unsent = EmailAddress(pk=address.pk, user=address.user, email=emails.NOBODY)
            emailconfirmation = type(emailconfirmation)(unsent)
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        data = {name: value for name, value in (context or {}).items() if name in ("from_email", "to_email")}
        tag = EVENTS.get(template_prefix, f"account.{template_prefix.rpartition('/')[2]}")
        audit.record(tag, by=Actor.of(self.request, user), data=data)
        context = {"ip": address_of(self.request)} | (context or {})
        super().send_notification_mail(template_prefix, user, context, email)

    def send_mail(self, template_prefix, email, context):
        """Queue the message: no page waits for a mail server or fails with it."""
        context = {
            "email": email,
            "current_site": get_current_site(self.request),
            "request": self.request,
        } | context
        message = self.render_mail(template_prefix, email, context)
        emails.post(email, message.subject, message.body)


def _on_dashboard_url(url: str) -> str:
    """Return the same page at DASHBOARD_URL: the client that requested the mail chose the Host header."""
    return settings.DASHBOARD_URL.rstrip("/") + urlsplit(url).path
