from django.core.management.base import BaseCommand, CommandError

from vault import cipher


class Command(BaseCommand):
    help = "Print a new key for CREDENTIAL_KEYS, as id:base64key. Nothing is stored."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("id", nargs="?", default="k1", help="the key's id (default: k1)")

    def handle(self, *, id, **options):
        entry = f"{id}:{cipher.new_key()}"
        try:
            ids = list(cipher.parse(entry))
        except cipher.KeyringError:
            ids = []
        if ids != [id]:
            raise CommandError("An id is 1 to 32 letters, digits, - and _.")
        self.stdout.write(entry)
