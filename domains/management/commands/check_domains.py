from collections import Counter
from datetime import timedelta

from django.core.management.base import BaseCommand
from django.db.models import F, Q
from django.utils import timezone

from audit.actor import Actor
from domains.models import Domain
from domains.verification.check import Outcome, TooSoon, check_now
from web.workers import Workers

PENDING_FOR = timedelta(days=30)
AT_ONCE = 8
WORDS = {
    Outcome.AUTHORIZED: "is authorized",
    Outcome.TAKEN: "is proved, but authorized in another account",
    Outcome.SUSPENDED: "is proved, but its name is suspended",
    Outcome.GONE: "lacks its ownership record; its owners are told, it is not cut off",
    Outcome.BACK: "has its ownership record again",
}
CHANGES = (Outcome.AUTHORIZED, Outcome.GONE, Outcome.BACK)


class Command(BaseCommand):
    help = (
        "Check the DNS records of all authorized domains, and of pending ones added within 30 days: "
        "authorize what is proved, tell owners whose ownership record is gone. For a timer."
    )

    def handle(self, **options):
        domains = list(self._due().order_by(F("checked_at").asc(nulls_first=True), "pk"))
        workers = Workers("check", threads=AT_ONCE, waiting=len(domains))
        checks = [workers.submit(self._check, domain) for domain in domains]
        outcomes = Counter(check.result() for check in checks)
        skipped = outcomes.pop(None, 0)
        changed = sum(outcomes[outcome] for outcome in CHANGES)
        total = outcomes.total()
        line = f"{total} domain{'' if total == 1 else 's'} checked, {changed} changed"
        self.stdout.write(f"{line}, {skipped} checked just before" if skipped else line)

    def _due(self):
        recent = Q(created_at__gte=timezone.now() - PENDING_FOR)
        return Domain.objects.filter(Q(authorized_at__isnull=False) | recent)

    def _check(self, domain) -> Outcome | None:
        """Check one and print what changed; None when somebody else checks it now."""
        try:
            outcome = check_now(domain, by=Actor.system("check_domains"))
        except TooSoon:
            return None
        if outcome in WORDS:
            self.stdout.write(f"{domain.name} {WORDS[outcome]}")
        return outcome
