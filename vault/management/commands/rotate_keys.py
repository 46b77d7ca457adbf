from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from vault import cipher, keyring, registry

DEFAULT_BATCH = 500


class Command(BaseCommand):
    help = (
        "Seal all stored secrets with the first of CREDENTIAL_KEYS, in batches, while the site runs. "
        "Started again, it continues where it stopped. No password changes, no site is cut off."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--batch", type=int, default=DEFAULT_BATCH, help="rows in one transaction (default: 500)"
        )

    def handle(self, *, batch, **options):
        if batch < 1:
            raise CommandError("--batch must be 1 or more.")
        keyring.plant()  # the system checks found the keys to be the right ones
        key_id = cipher.first_key()
        stuck = 0
        for column in registry.sealed_columns():
            done, left = self._rotate(column, key_id, batch)
            self.stdout.write(f"{done} {column.name} sealed with {key_id!r}")
            for pk, why in left:
                self.stderr.write(f"{column.name}, row {pk}: {why}")
            stuck += len(left)
        if stuck:
            raise CommandError(f"{stuck} rows could not be opened and are unchanged.")

    def _rotate(self, column, key_id, batch):
        """Return (number of resealed rows, [(primary key, why not), …])."""
        done, left, last = 0, [], 0
        while rows := list(column.not_sealed_with(key_id).filter(pk__gt=last).order_by("pk")[:batch]):
            with transaction.atomic():
                column.hold(rows)
                for row in rows:
                    try:
                        # The site sealed a row that changed in the meantime, with its own first key.
                        done += column.reseal(row)
                    except cipher.CannotOpen as error:
                        left.append((row.pk, error))
            last = rows[-1].pk
        return done, left
