"""The result of the last check of a domain's DNS, one row for each kind of record."""

from django.db import models
from django.db.models import Q

from domains.dns.records import Kind, Record, Status
from domains.dns.resolver import MAX_VALUE

IDENTITY = ("domain", "kind")
MAX_SHOWN_VALUES = 5  # of a record; there may be hundreds
VALUE_LENGTH = 500
KIND_LABELS = {
    Kind.OWNERSHIP: "Ownership",
    Kind.SPF: "SPF",
    Kind.DKIM: "DKIM",
    Kind.RETURN_PATH: "Return path",
    Kind.DMARC: "DMARC",
}
STATUS_LABELS = {
    Status.VERIFIED: "Verified",
    Status.MISSING: "Missing",
    Status.WRONG: "Wrong",
    Status.UNKNOWN: "Could not check",
}


class DnsRecordQuerySet(models.QuerySet):
    def store(self, domain, judged, *, now):
        """Store the judgements of a check, {Record: Judgement}.

        A verified record that could not be checked this time stays verified, and `failed_at` is set: an outage
        of the DNS says nothing about the record.
        """
        before = {row.kind: row for row in self.filter(domain=domain)}
        rows = []
        for record, judgement in judged.items():
            row = self.model(domain=domain, kind=record.kind.value, checked_at=now)
            row.fill(record, judgement)
            old = before.get(record.kind)
            if judgement.status is Status.UNKNOWN and old and old.verifies(record):
                row.status, row.found = old.status, old.found
                row.checked_at, row.failed_at = old.checked_at, now
            rows.append(row)
        names = [field.name for field in self.model._meta.concrete_fields[1:]]
        updated = [name for name in names if name not in IDENTITY]
        self.bulk_create(rows, update_conflicts=True, unique_fields=IDENTITY, update_fields=updated)


class DnsRecord(models.Model):
    """One expected record of a domain, with the result of its last check."""

    domain = models.ForeignKey("Domain", models.CASCADE, related_name="dns_records")
    kind = models.CharField(max_length=12, choices=[(kind.value, label) for kind, label in KIND_LABELS.items()])
    host = models.CharField("hostname", max_length=400)
    expected = models.TextField("expected value")
    status = models.CharField(
        max_length=8, choices=[(status.value, label) for status, label in STATUS_LABELS.items()]
    )
    found = models.TextField(blank=True, help_text="One value a line.")
    message = models.TextField(blank=True)
    suggested = models.TextField("suggested value", blank=True)
    checked_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True, help_text="When it could not be checked, after that.")

    objects = DnsRecordQuerySet.as_manager()

    class Meta:
        verbose_name = "DNS record"
        constraints = [
            models.UniqueConstraint(fields=IDENTITY, name="dns_record_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in Kind]), name="dns_record_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in Status]), name="dns_record_status_known"
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} of {self.domain_id}: {self.get_status_display()}"

    def fill(self, record: Record, judgement):
        """Set the columns from a record and its judgement."""
        self.host, self.expected, self.status = record.host, record.value, judgement.status.value
        self.found = shortened(judgement.found)
        self.message = judgement.message
        # A longer record would be no use as a suggestion.
        self.suggested = judgement.suggested if len(judgement.suggested) <= MAX_VALUE else ""

    def is_of(self, record: Record) -> bool:
        """Whether this is the result for a record as it is expected now: settings may have changed since."""
        return (self.host, self.expected) == (record.host, record.value)

    def verifies(self, record: Record) -> bool:
        return self.is_of(record) and self.status == Status.VERIFIED


def shortened(values) -> str:
    """Return values as the text that is stored, one per line: the first few, each shortened."""
    lines = [
        value if len(value) <= VALUE_LENGTH else f"{value[:VALUE_LENGTH]}…"
        for value in values[:MAX_SHOWN_VALUES]
    ]
    if len(values) > MAX_SHOWN_VALUES:
        lines.append(f"… and {len(values) - MAX_SHOWN_VALUES} more")
    return "\n".join(lines)
