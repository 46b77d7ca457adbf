"""The sealed columns of SMTP users: the passwords of live and of deleted ones."""

from credentials.models import Credential, DeletedCredential
from credentials.models.base import password_data
from credentials.models.batches import hold_domains
from vault.registry import SealedColumn


class _OfDomain(SealedColumn):
    def hold(self, rows):
        hold_domains(row.domain_id for row in rows)


def _place(row) -> str:
    return password_data(row.username)


SMTP_PASSWORDS = _OfDomain("SMTP passwords", Credential, "password_sealed", _place)
DELETED_SMTP_PASSWORDS = _OfDomain(
    "passwords of deleted SMTP users", DeletedCredential, "password_sealed", _place
)
