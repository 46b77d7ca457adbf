from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings

from accounts.reauthentication import signed_in_recently
from audit.client_ip import client_ip


class AccountAdapter(DefaultAccountAdapter):
    """Where sign-in follows this project's settings instead of allauth's own."""

    def is_open_for_signup(self, request):
        return settings.SIGNUP_OPEN

    def get_client_ip(self, request):
        # Behind a Unix socket nobody trusts, all share one bucket: strict, never open.
        return client_ip(request) or "unknown"

    def is_reauthentication_required(self, *, app, **kwargs):
        # allauth's own rule asks again right after the sign-in, too.
        return not signed_in_recently(self.request)
