"""The registry of sealed columns: each app registers its own in AppConfig.ready().

Whatever has to find, try or reseal every secret (rotate_keys, retire_key, verify_store, the keyring)
uses it, so the vault names no app and forgets none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models

from vault import cipher


@dataclass(frozen=True)
class SealedColumn:
    """One column of sealed secrets; `associated_data(row)` is what a row's secret is bound to."""

    name: str  # of its secrets, in the plural, for messages
    model: type[models.Model]
    column: str
    associated_data: Callable[[Any], str]

    def rows(self):
        return self.model.objects.all()

    def ends(self) -> list:
        """The oldest and the newest row."""
        rows = (self.rows().order_by(order).first() for order in ("pk", "-pk"))
        return [row for row in rows if row]

    def tokens(self, row: Any) -> dict[str, str]:
        """The sealed secrets of a row, by the name under which `reseal` stores them."""
        return {self.column: getattr(row, self.column)}

    def sealed_with(self, key_id):
        """The rows that this key sealed."""
        return self.rows().filter(**{f"{self.column}__startswith": cipher.prefix(key_id)})

    def not_sealed_with(self, key_id):
        return self.rows().exclude(**{f"{self.column}__startswith": cipher.prefix(key_id)})

    def hold(self, rows: Iterable[Any]) -> None:
        """Lock what has to be held before these rows are changed (audit/locks.py): nothing more here."""

    def reseal(self, row: Any) -> bool:
        """Seal a row's secret with the first key.

        Returns False when the row changed in the meantime. Raises cipher.CannotOpen.
        """
        old = getattr(row, self.column)
        unchanged = self.rows().filter(pk=row.pk, **{self.column: old})
        fresh = cipher.reseal(old, associated_data=self.associated_data(row))
        return bool(unchanged.update(**{self.column: fresh}))


_columns: dict[str, SealedColumn] = {}


def register(*columns: SealedColumn) -> None:
    """Add columns, replacing those of the same name: ready() may run twice."""
    _columns.update({column.name: column for column in columns})


def sealed_columns() -> tuple[SealedColumn, ...]:
    """Every registered column, the last one first: those of the topmost app."""
    return tuple(reversed(_columns.values()))
