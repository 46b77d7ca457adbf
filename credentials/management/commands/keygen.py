from django.core.management.base import BaseCommand, CommandError

from credentials import vault


class Command(BaseCommand):
    help = "Print a fresh key for CREDENTIAL_KEYS, as id:base64key. Nothing is stored."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("id", nargs="?", default="k1", help="the key's id (default: k1)")

    def handle(self, *, id, **options):
        entry = f"{id}:{vault.new_key()}"
        try:
            ids = list(vault.parse(entry))
        except vault.KeyringError:
            ids = []
        if ids != [id]:
            raise CommandError("An id is 1 to 32 letters, digits, - and _.")
        self.stdout.write(entry)
