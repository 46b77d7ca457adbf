from django.apps import AppConfig


class SendLayerConfig(AppConfig):
    """The project itself, as an app, so that its system checks are registered."""

    name = "sendlayer"

    def ready(self):
        from sendlayer import checks  # noqa: F401
