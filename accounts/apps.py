from django.apps import AppConfig

from vault import registry


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self):
        from accounts import checks, sign_in_log  # noqa: F401  (registered, and receives signals)
        from accounts.sealed_columns import LETTERS, TWO_FACTOR_SECRETS

        registry.register(LETTERS, TWO_FACTOR_SECRETS)
