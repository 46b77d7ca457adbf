from django.apps import AppConfig

from vault import registry


class CredentialsConfig(AppConfig):
    name = "credentials"

    def ready(self):
        from credentials.nodes import commits
        from credentials.sealed_columns import DELETED_SMTP_PASSWORDS, SMTP_PASSWORDS

        registry.register(DELETED_SMTP_PASSWORDS, SMTP_PASSWORDS)
        commits.start()
