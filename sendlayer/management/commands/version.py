from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Print the version of SendLayer that is installed here."
    requires_system_checks = []

    def handle(self, **options):
        self.stdout.write(settings.VERSION)
