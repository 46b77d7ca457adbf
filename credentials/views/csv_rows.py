"""The list of SMTP users as a spreadsheet, without any secret."""

from django.conf import settings
from django.utils import timezone

from credentials import networks
from credentials.models import Credential
from credentials.outcome import Outcome
from web.dates import iso

COLUMNS = [
    "Label",
    "Username",
    "Host",
    "Port",
    "Created",
    "Created by",
    "Last used",
    "Last used from",
    "State",
    "Allowed networks",
    "Expires",
]
STATE_NAMES = {
    Outcome.ACCEPTED: "active",
    Outcome.SUSPENDED: "suspended",
    Outcome.EXPIRED: "expired",
    Outcome.DOMAIN_SUSPENDED: "domain suspended",
    Outcome.DOMAIN_NOT_AUTHORIZED: "domain not authorized",
}


def rows(domain, position):
    """Yield the rows of the list, in its order, in one query and constant memory."""
    now = timezone.now()
    for row in domain.credentials.listing(*position.criteria):
        outcome = Credential(domain=domain, suspended_at=row.suspended_at, expires_at=row.expires_at).outcome(
            now
        )
        yield (
            row.label,
            row.username,
            settings.SMTP_HOST,
            settings.SMTP_PORT,
            iso(row.created_at),
            row.creator,
            iso(row.last_used_at),
            row.last_used_ip,
            STATE_NAMES[outcome],
            ", ".join(networks.listed(row.allowed_networks)),
            iso(row.expires_at),
        )
