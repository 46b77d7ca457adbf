from django.apps import AppConfig

from vault import registry


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self):
        from audit.sealed_columns import CHAIN_KEYS

        registry.register(CHAIN_KEYS)
