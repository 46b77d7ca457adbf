from django.apps import AppConfig


class SubmissionConfig(AppConfig):
    name = "submission"

    def ready(self):
        from submission import checks  # noqa: F401  (registers them)
