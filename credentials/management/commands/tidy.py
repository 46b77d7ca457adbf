from django.core.management.base import BaseCommand
from django.utils import timezone

from credentials import clients, erasing
from credentials.retired import RetiredPassword


class Command(BaseCommand):
    help = (
        "Forget what is kept for a while only: clients after 30 days, retired passwords after 90. "
        "Erase SMTP users that were deleted 24 hours ago. For a timer."
    )

    def handle(self, **options):
        now = timezone.now()
        clients.forget(now)
        RetiredPassword.objects.forget(now)
        erasing.erase_due()
