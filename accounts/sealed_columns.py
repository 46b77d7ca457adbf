"""The sealed columns of accounts: second factors and queued e-mails."""

from allauth.mfa.models import Authenticator
from django.db.models import Q

from accounts import emails, two_factor
from vault import cipher
from vault.registry import SealedColumn


class TwoFactorSecrets(SealedColumn):
    """Secrets within the JSON column in which allauth keeps a second factor."""

    NAMES = ("secret", "seed")

    def rows(self):
        return self.model.objects.exclude(type=Authenticator.Type.WEBAUTHN)

    def tokens(self, row):
        return {name: row.data[name] for name in self.NAMES if name in row.data}

    def sealed_with(self, key_id):
        return self.rows().filter(self._any({"startswith": cipher.prefix(key_id)}, {}))

    def not_sealed_with(self, key_id):
        # A missing secret is neither sealed with the key nor without it.
        return self.rows().filter(self._any({"isnull": False}, {"startswith": cipher.prefix(key_id)}))

    def reseal(self, row):
        place = self.associated_data(row)
        fresh = {name: cipher.reseal(token, associated_data=place) for name, token in self.tokens(row).items()}
        return bool(self.rows().filter(pk=row.pk, data=row.data).update(data=row.data | fresh))

    def _any(self, wanted, unwanted) -> Q:
        """Match rows with a secret that fits `wanted` and not `unwanted`, each lookup → value."""
        either = Q()
        for name in self.NAMES:
            does, does_not = (
                Q(**{f"data__{name}__{lookup}": value for lookup, value in lookups.items()})
                for lookups in (wanted, unwanted)
            )
            either |= does & ~does_not if unwanted else does
        return either


TWO_FACTOR_SECRETS = TwoFactorSecrets(
    "two-factor secrets", Authenticator, "data", lambda row: two_factor.ASSOCIATED_DATA
)
LETTERS = SealedColumn("letters", emails.Letter, "sealed", lambda row: emails.ASSOCIATED_DATA)
