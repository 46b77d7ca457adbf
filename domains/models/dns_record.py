"""What the last check found in a domain's DNS, one row a kind of record."""

from django.db import models
from django.db.models import Q

from domains.dns.records import Kind, Record, Status
from domains.dns.resolver import MAX_VALUE

IDENTITY = ("domain", "kind")
SHOWN = 5  # values of a record; somebody may have made hundreds
VALUE_LENGTH = 500
KINDS = {
    Kind.OWNERSHIP: "Ownership",
    Kind.SPF: "SPF",
    Kind.DKIM: "DKIM",
    Kind.RETURN_PATH: "Return path",
    Kind.DMARC: "DMARC",
}
STATUSES = {
    Status.VERIFIED: "Verified",
    Status.MISSING: "Missing",
    Status.WRONG: "Wrong",
    Status.UNKNOWN: "Could not check",
}


class DnsRecordQuerySet(models.QuerySet):
    def keep(self, domain, judged, *, at):
        """Store the Judgements of a check, {Record: Judgement}.

        A verified record that could not be checked this time stays verified, with a
        note of it: an outage of the DNS says nothing about the record.
        """
        before = {row.kind: row for row in self.filter(domain=domain)}
        rows = []
        for record, judgement in judged.items():
            row = self.model(domain=domain, kind=record.kind.value, checked_at=at)
            row.take(record, judgement)
            old = before.get(record.kind)
            if judgement.status is Status.UNKNOWN and old and old.verifies(record):
                row.status, row.found = old.status, old.found
                row.checked_at, row.failed_at = old.checked_at, at
            rows.append(row)
        facts = [field.name for field in self.model._meta.concrete_fields[1:]]
        facts = [name for name in facts if name not in IDENTITY]
        self.bulk_create(rows, update_conflicts=True, unique_fields=IDENTITY, update_fields=facts)


class DnsRecord(models.Model):
    """One expected record of a domain, and what was found when it was checked last."""

    domain = models.ForeignKey("Domain", models.CASCADE, related_name="dns_records")
    kind = models.CharField(max_length=12, choices=[(kind.value, label) for kind, label in KINDS.items()])
    host = models.CharField("hostname", max_length=400)
    expected = models.TextField("expected value")
    status = models.CharField(
        max_length=8, choices=[(status.value, label) for status, label in STATUSES.items()]
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

    def take(self, record: Record, judgement):
        """Become what a check found of a record."""
        self.host, self.expected, self.status = record.host, record.value, judgement.status.value
        self.found = shown(judgement.found)
        self.message = judgement.message
        # No record is that long: there is nothing to suggest.
        self.suggested = judgement.suggested if len(judgement.suggested) <= MAX_VALUE else ""

    def is_of(self, record: Record) -> bool:
        """Whether this was found of a record as it is expected now: settings may have changed since."""
        return (self.host, self.expected) == (record.host, record.value)

    def verifies(self, record: Record) -> bool:
        return self.is_of(record) and self.status == Status.VERIFIED


def shown(values) -> str:
    """Return some values as the text that is stored: the first few, each at most so long, one a line."""
    lines = [value if len(value) <= VALUE_LENGTH else f"{value[:VALUE_LENGTH]}…" for value in values[:SHOWN]]
    if len(values) > SHOWN:
        lines.append(f"… and {len(values) - SHOWN} more")
    return "\n".join(lines)
