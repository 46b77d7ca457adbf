from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from vault import cipher, keyring, registry


class Command(BaseCommand):
    help = (
        "Declare that a key is no longer needed; then it may be removed from CREDENTIAL_KEYS. Refuses while a "
        "row is sealed with it. Before, restart all servers with another first key, and run rotate_keys."
    )
    requires_system_checks = []  # one that was lost before it sealed anything would seal the server for good

    def add_arguments(self, parser):
        parser.add_argument("id", help="the key's id, like k1")

    def handle(self, *, id, **options):
        try:
            first = cipher.first_key()
        except cipher.KeyringError as error:
            raise CommandError(f"CREDENTIAL_KEYS can't be used: {error}.") from None
        if id == first:
            raise CommandError(f"{id!r} is the first of CREDENTIAL_KEYS: it seals new secrets.")
        needed = [(column.sealed_with(id).count(), column.name) for column in registry.sealed_columns()]
        if any(number for number, _name in needed):
            listed = ", ".join(f"{number} {name}" for number, name in needed if number)
            raise CommandError(f"{id!r} is still needed by {listed}. Run rotate_keys first.")
        if not keyring.KeyCanary.objects.filter(key_id=id).update(retired_at=timezone.now()):
            raise CommandError(f"No key {id!r} was ever used here.")
        self.stdout.write(f"{id!r} is no longer needed: remove it from CREDENTIAL_KEYS.")
