from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site

from accounts import letters
from audit.client_ip import client_ip


class AccountAdapter(DefaultAccountAdapter):
    """Where sign-in follows this project's settings instead of allauth's own."""

    def is_open_for_signup(self, request):
        return settings.SIGNUP_OPEN

    def get_client_ip(self, request):
        # Behind a Unix socket nobody trusts, all share one bucket: strict, never open.
        return client_ip(request) or "unknown"

    def send_mail(self, template_prefix, email, context):
        """Keep the message until it is sent: no page waits for a mail server, or fails with it."""
        context = {
            "email": email,
            "current_site": get_current_site(self.request),
            "request": self.request,
        } | context
        message = self.render_mail(template_prefix, email, context)
        letters.post(email, message.subject, message.body)
