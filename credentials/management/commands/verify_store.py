from django.core.management.base import BaseCommand, CommandError

from credentials.integrity import faults
from credentials.models import Credential
from web.plurals import counted

MAX_FAULTS_NAMED = 1000


class Command(BaseCommand):
    help = (
        "Check that every stored password can be unsealed and matches its verifier, that events record each "
        "change, and that none is missing. It only reads. On faults it names the rows and exits with 1."
    )

    def handle(self, **options):
        number = 0
        for number, fault in enumerate(faults(), start=1):
            if number <= MAX_FAULTS_NAMED:
                self.stderr.write(fault)
        if number:
            raise CommandError(counted(number, "fault", "faults") + ".")
        total = Credential.objects.count()
        self.stdout.write(counted(total, "SMTP user", "SMTP users") + ": everything agrees.")
