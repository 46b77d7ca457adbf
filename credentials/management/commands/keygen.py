from django.core.management.base import BaseCommand

from credentials import vault


class Command(BaseCommand):
    help = "Print a fresh key for CREDENTIAL_KEYS, as id:base64key. Nothing is stored."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("id", nargs="?", default="k1", help="the key's id (default: k1)")

    def handle(self, *, id, **options):
        self.stdout.write(f"{id}:{vault.new_key()}")
