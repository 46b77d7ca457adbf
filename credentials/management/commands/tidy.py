from django.core.management.base import BaseCommand
from django.utils import timezone

from credentials import expiry_warnings
from credentials.models import DeletedCredential, HandOver, LoginDay, Node, RefusalSeen, RetiredPassword
from web.plurals import counted


class Command(BaseCommand):
    help = (
        "Delete data that is kept for a time only: logins after 30 days, retired passwords and what "
        "mail servers confirmed after 90, "
        "hand-over links 30 days after they ended. "
        "Erase SMTP users that were deleted 24 hours ago. "
        "Warn owners of credentials that expire within 7 days. Run it by a timer."
    )

    def handle(self, **options):
        now = timezone.now()
        LoginDay.objects.forget(now)
        RetiredPassword.objects.forget(now)
        HandOver.objects.forget(now)
        RefusalSeen.objects.forget(now)
        Node.objects.forget(now)
        DeletedCredential.objects.erase_due(now)
        warned = expiry_warnings.warn_owners(now)
        self.stdout.write(counted(warned, "expiry warning", "expiry warnings") + " sent to owners")
