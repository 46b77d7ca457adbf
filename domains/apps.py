from django.apps import AppConfig


class DomainsConfig(AppConfig):
    name = "domains"

    def ready(self):
        from domains import checks  # noqa: F401  (registers them)
