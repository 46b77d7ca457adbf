"""What the DNS Records tab shows: each expected record beside what the last check found of it."""

from dataclasses import dataclass

from django.utils import timezone

from domains.dns.records import Kind, Record, Status
from domains.models import CHECK_EVERY, Domain
from domains.models.dns_record import KINDS, STATUSES, DnsRecord

NOT_CHECKED = "not-checked"


@dataclass(frozen=True)
class Line:
    """A record and the stored row of its last check; None when it was not checked as it is expected now."""

    record: Record
    row: DnsRecord | None

    @property
    def name(self) -> str:
        return KINDS[self.record.kind]

    @property
    def status(self) -> str:
        return self.row.status if self.row else NOT_CHECKED

    @property
    def label(self) -> str:
        return STATUSES[self.row.status] if self.row else "Not checked yet"

    @property
    def found(self) -> list[str]:
        """What stands there, where it is not just the expected value."""
        found = self.row.found.splitlines() if self.row else []
        return [] if found == [self.record.value] else found


def dns_context(domain) -> dict:
    """The lines of a domain's tab and how far its check is."""
    now = timezone.now()
    rows = {row.kind: row for row in domain.dns_records.all()}
    lines = [Line(record, _row_of(record, rows)) for record in domain.expected_records()]
    return {
        "domain": domain,
        "active_tab": "dns",
        "lines": lines,
        "is_checking": domain.is_being_checked(now),
        "died": domain.check_died(now),
        "obstacle": _obstacle(domain, lines),
    }


def seconds_to_wait(domain) -> int:
    """How long until the next check may begin, at least a second."""
    rest = domain.check_started_at + CHECK_EVERY - timezone.now() if domain.check_started_at else CHECK_EVERY
    return max(1, round(rest.total_seconds()))


def _row_of(record, rows):
    row = rows.get(record.kind)
    return row if row and row.is_of(record) else None


def _obstacle(domain, lines) -> str:
    """What keeps a proved domain from being authorized: "suspended", "taken" in another account, or "".

    Only a person who has proved that the name is theirs is told.
    """
    proved = any(line.record.kind is Kind.OWNERSHIP and line.status == Status.VERIFIED for line in lines)
    if domain.authorized_at or not proved:
        return ""
    same_name = Domain.objects.filter(name=domain.name)
    if same_name.filter(suspended_at__isnull=False).exists():
        return "suspended"
    return "taken" if same_name.filter(authorized_at__isnull=False).exists() else ""
