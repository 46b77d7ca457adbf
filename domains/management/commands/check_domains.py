from collections import Counter
from datetime import timedelta

from django.core.management.base import BaseCommand
from django.db.models import F, Q
from django.utils import timezone

from audit.actor import Actor
from domains.models import Domain
from domains.verification.check import CheckResult, TooSoon, check_now
from web.plurals import counted
from web.workers import Workers

PENDING_FOR = timedelta(days=30)
THREADS = 8
REPORTS = {
    CheckResult.AUTHORIZED: "has been authorized",
    CheckResult.TAKEN: "is proved, but authorized in another account",
    CheckResult.SUSPENDED: "is proved, but its name is suspended",
    CheckResult.PROOF_GONE: "has lost its ownership record; its owners have been notified, and it still sends",
    CheckResult.PROOF_BACK: "has its ownership record again",
}
CHANGES = (CheckResult.AUTHORIZED, CheckResult.PROOF_GONE, CheckResult.PROOF_BACK)


class Command(BaseCommand):
    help = (
        "Check the DNS records of all authorized domains, and of pending ones added within the last 30 days. "
        "Authorizes domains that are proved, and notifies owners of a lost ownership record. Run it by a timer."
    )

    def handle(self, **options):
        domains = list(self._due().order_by(F("checked_at").asc(nulls_first=True), "pk"))
        workers = Workers("check", threads=THREADS, waiting=len(domains))
        checks = [workers.submit(self._check, domain) for domain in domains]
        results = Counter(check.result() for check in checks)
        skipped = results.pop(None, 0)
        changed = sum(results[result] for result in CHANGES)
        line = f"{counted(results.total(), 'domain', 'domains')} checked, {changed} changed"
        self.stdout.write(f"{line}, {skipped} skipped: checked a moment ago" if skipped else line)

    def _due(self):
        recent = Q(created_at__gte=timezone.now() - PENDING_FOR)
        return Domain.objects.filter(Q(authorized_at__isnull=False) | recent)

    def _check(self, domain) -> CheckResult | None:
        """Check a domain and print what changed; return None when it was checked a moment ago."""
        try:
            result = check_now(domain, by=Actor.system("check_domains"))
        except TooSoon:
            return None
        if result in REPORTS:
            self.stdout.write(f"{domain.name} {REPORTS[result]}")
        return result
