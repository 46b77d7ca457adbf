from django.apps import AppConfig

from vault import registry


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self):
        from allauth.core.internal import ratelimit

        from accounts import checks, sign_in_log  # noqa: F401  (registered, and receives signals)
        from accounts.client_address import counted_as
        from accounts.sealed_columns import LETTERS, TWO_FACTOR_SECRETS

        # There is no other way: what the adapter's get_client_ip returns is also written down and mailed.
        ratelimit.get_ip = counted_as
        registry.register(LETTERS, TWO_FACTOR_SECRETS)
