from django.apps import AppConfig


class SendLayerConfig(AppConfig):
    """The project as an app, which registers its system checks and its search."""

    name = "sendlayer"

    def ready(self):
        from django.db.backends.signals import connection_created
        from django.db.models import CharField, TextField

        from sendlayer import checks  # noqa: F401
        from web.search import folding

        connection_created.connect(folding.add_function)
        for field in (CharField, TextField):
            field.register_lookup(folding.FoldedIContains)
