from django.core.management.base import BaseCommand, CommandError

from credentials.integrity import faults
from credentials.models import Credential

MOST = 1000  # faults that are named; the rest is counted


class Command(BaseCommand):
    help = (
        "Check that every stored password opens and fits its verifier, that the events tell of each change, "
        "and that none is missing. It only reads. Exit 1 with the rows named when something is wrong."
    )

    def handle(self, **options):
        number = 0
        for number, fault in enumerate(faults(), start=1):
            if number <= MOST:
                self.stderr.write(fault)
        if number:
            raise CommandError(f"{number} {'fault' if number == 1 else 'faults'}.")
        total = Credential.objects.count()
        self.stdout.write(f"{total} SMTP {'user' if total == 1 else 'users'}: everything agrees.")
