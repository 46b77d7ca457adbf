from django.core.management.base import BaseCommand
from django.utils import timezone

from credentials import expiry_warnings
from credentials.models import DeletedCredential, LoginDay, RetiredPassword


class Command(BaseCommand):
    help = (
        "Forget what is kept for a while only: logins after 30 days, retired passwords after 90. "
        "Erase SMTP users that were deleted 24 hours ago. "
        "Warn owners of credentials that expire within 7 days. For a timer."
    )

    def handle(self, **options):
        now = timezone.now()
        LoginDay.objects.forget(now)
        RetiredPassword.objects.forget(now)
        DeletedCredential.objects.erase_due(now)
        warned = expiry_warnings.warn_owners(now)
        self.stdout.write(f"{warned} expiry date{'' if warned == 1 else 's'} told to owners")
