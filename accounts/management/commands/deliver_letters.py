from django.core.management.base import BaseCommand

from accounts import emails


class Command(BaseCommand):
    help = "Send queued e-mails now, for instance after a mail server was down."

    def handle(self, **options):
        sent, failed = emails.deliver()
        self.stdout.write(f"{sent} sent, {failed} not sent.")
