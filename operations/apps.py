from django.apps import AppConfig
from django.db.models.signals import post_save


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self):
        from audit.models import Event
        from operations import checks  # noqa: F401  (registers them)
        from operations.failover import events_log

        post_save.connect(events_log.note, sender=Event, dispatch_uid="events_log")
