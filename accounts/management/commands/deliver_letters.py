from django.core.management.base import BaseCommand

from accounts import letters


class Command(BaseCommand):
    help = "Send the mail to people that still waits, for instance since a mail server was down."

    def handle(self, **options):
        sent, failed = letters.deliver()
        self.stdout.write(f"{sent} sent, {failed} not sent.")
