from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self):
        from allauth.core.internal import ratelimit

        from accounts import sign_in_log  # noqa: F401  (receives signals)
        from accounts.addresses import counted_as

        # There is no other way: what the adapter's get_client_ip returns is also written down and mailed.
        ratelimit.get_ip = counted_as
