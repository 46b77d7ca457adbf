"""The content of the DNS Records tab: each expected record beside the result of its last check."""

from dataclasses import dataclass

from django.utils import timezone

from domains.dns.records import Kind, Record, Status
from domains.models import CHECK_EVERY, Domain
from domains.models.dns_record import KIND_LABELS, STATUS_LABELS, DnsRecord

NOT_CHECKED = "not-checked"


@dataclass(frozen=True)
class Line:
    """A record with the row of its last check, or None if its present value has not been checked."""

    record: Record
    row: DnsRecord | None

    @property
    def name(self) -> str:
        return KIND_LABELS[self.record.kind]

    @property
    def status(self) -> str:
        return self.row.status if self.row else NOT_CHECKED

    @property
    def label(self) -> str:
        return STATUS_LABELS[self.row.status] if self.row else "Not checked yet"

    @property
    def found(self) -> list[str]:
        """The values that were found, unless that is just the expected one."""
        found = self.row.found.splitlines() if self.row else []
        return [] if found == [self.record.value] else found


def dns_context(domain) -> dict:
    """Return the lines of a domain's tab and the progress of its check."""
    now = timezone.now()
    rows = {row.kind: row for row in domain.dns_records.all()}
    lines = [Line(record, _row_of(record, rows)) for record in domain.expected_records()]
    names = lines[0].record.names
    return {
        "domain": domain,
        "zone": names.zone,
        "zone_is_guess": not domain.dns_zone and names.name != names.organizational,
        "active_tab": "dns",
        "lines": lines,
        "is_checking": domain.is_being_checked(now),
        "was_interrupted": domain.check_was_interrupted(now),
        "obstacle": _obstacle(domain, lines),
    }


def seconds_to_wait(domain) -> int:
    """Return the time until the next check may begin, at least one second."""
    remaining = (
        domain.check_started_at + CHECK_EVERY - timezone.now() if domain.check_started_at else CHECK_EVERY
    )
    return max(1, round(remaining.total_seconds()))


def _row_of(record, rows):
    row = rows.get(record.kind)
    return row if row and row.is_of(record) else None


def _obstacle(domain, lines) -> str:
    """Return what prevents authorizing a proved domain: "suspended", "taken" by another account, or "".

    Only members of a domain that has been proved learn it.
    """
    proved = any(line.record.kind is Kind.OWNERSHIP and line.status == Status.VERIFIED for line in lines)
    if domain.authorized_at or not proved:
        return ""
    same_name = Domain.objects.filter(name=domain.name)
    if same_name.filter(suspended_at__isnull=False).exists():
        return "suspended"
    return "taken" if same_name.filter(authorized_at__isnull=False).exists() else ""
