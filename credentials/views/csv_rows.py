"""The list of SMTP users as a spreadsheet, without any secret."""

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from credentials import networks
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
ROWS_AT_ONCE = 500


def rows(domain, position):
    """Yield the rows of the list, in its order, in one query and constant memory."""
    now = timezone.now()
    listed = (
        domain.credentials.listed(*position.criteria).without_secrets().annotate(creator=F("created_by__email"))
    )
    for credential in listed.iterator(chunk_size=ROWS_AT_ONCE):
        yield (
            credential.label,
            credential.username,
            settings.SMTP_HOST,
            settings.SMTP_PORT,
            iso(credential.created_at),
            credential.creator,
            iso(credential.last_used_at),
            credential.last_used_ip,
            STATE_NAMES[credential.outcome(now)],
            ", ".join(networks.listed(credential.allowed_networks)),
            iso(credential.expires_at),
        )
