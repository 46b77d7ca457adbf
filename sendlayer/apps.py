from django.apps import AppConfig


class SendLayerConfig(AppConfig):
    """The project as an app, which registers its system checks."""

    name = "sendlayer"

    def ready(self):
        from sendlayer import checks  # noqa: F401
