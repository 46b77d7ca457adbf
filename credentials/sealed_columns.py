"""Everything that is sealed with CREDENTIAL_KEYS, kind by kind: to find, to try and to seal anew."""

from collections.abc import Callable
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db import models
from django.db.models import Q

from accounts import two_factor
from accounts.emails import PLACE as LETTER
from accounts.emails import Letter
from audit.chain import PLACE as CHAIN
from audit.models import ChainKey
from credentials.models import Credential
from credentials.models.base import place_of_password
from credentials.models.deleted import DeletedCredential
from vault import cipher


@dataclass(frozen=True)
class Kind:
    """One column of sealed secrets; `place` tells for which place a row's are sealed."""

    name: str
    model: type[models.Model]
    column: str
    place: Callable

    def rows(self):
        return self.model.objects.all()

    def ends(self) -> list:
        """The oldest and the newest row."""
        rows = (self.rows().order_by(order).first() for order in ("pk", "-pk"))
        return [row for row in rows if row]

    def tokens(self, row) -> dict[str, str]:
        """The sealed secrets of a row, by the name under which `reseal` puts them back."""
        return {self.column: getattr(row, self.column)}

    def sealed_with(self, key_id):
        """The rows that this key sealed."""
        return self.rows().filter(**{f"{self.column}__startswith": cipher.prefix(key_id)})

    def not_sealed_with(self, key_id):
        return self.rows().exclude(**{f"{self.column}__startswith": cipher.prefix(key_id)})

    def reseal(self, row) -> bool:
        """Seal a row's secrets with the first key; False when it changed meanwhile. Raises vault.CannotOpen."""
        old = getattr(row, self.column)
        same = self.rows().filter(pk=row.pk, **{self.column: old})
        return bool(same.update(**{self.column: _anew(old, self.place(row))}))


class Seeds(Kind):
    """allauth keeps what it has of a person's second factor in one JSON column."""

    NAMES = ("secret", "seed")

    def rows(self):
        return self.model.objects.exclude(type=Authenticator.Type.WEBAUTHN)

    def tokens(self, row):
        return {name: row.data[name] for name in self.NAMES if name in row.data}

    def sealed_with(self, key_id):
        return self.rows().filter(self._any({"startswith": cipher.prefix(key_id)}, {}))

    def not_sealed_with(self, key_id):
        # One that is missing is neither sealed with the key nor without it.
        return self.rows().filter(self._any({"isnull": False}, {"startswith": cipher.prefix(key_id)}))

    def reseal(self, row):
        place = self.place(row)
        fresh = {
            name: cipher.seal(cipher.open(token, place=place), place=place)
            for name, token in self.tokens(row).items()
        }
        return bool(self.rows().filter(pk=row.pk, data=row.data).update(data=row.data | fresh))

    def _any(self, wanted, unwanted) -> Q:
        """Those with a secret that is as wanted and not as unwanted; both are lookup → value."""
        either = Q()
        for name in self.NAMES:
            does, does_not = (
                Q(**{f"data__{name}__{lookup}": value for lookup, value in lookups.items()})
                for lookups in (wanted, unwanted)
            )
            either |= does & ~does_not if unwanted else does
        return either


def _anew(token: str, place: str) -> str:
    return cipher.seal(cipher.open(token, place=place), place=place)


def _of_credential(row):
    return place_of_password(row.username)


KINDS = (
    Kind("SMTP passwords", Credential, "password_sealed", _of_credential),
    Kind("passwords of deleted SMTP users", DeletedCredential, "password_sealed", _of_credential),
    Seeds("two-factor secrets", Authenticator, "data", lambda row: two_factor.PLACE),
    Kind("letters", Letter, "sealed", lambda row: LETTER),
    Kind("audit keys", ChainKey, "sealed", lambda row: CHAIN),
)
