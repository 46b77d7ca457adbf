import os
import secrets

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from audit.actor import Actor
from domains.models import Domain

EMAIL = "owner@example.com"
DOMAIN = "sl.example.com"


class Command(BaseCommand):
    help = (
        f"Create a first owner ({EMAIL}) and an authorized domain ({DOMAIN}) to try out. "
        "The password is DEMO_PASSWORD, or a random one that is printed. A second run changes nothing."
    )

    def handle(self, **options):
        if not User.objects.filter(email=EMAIL).exists():
            password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(12)
            self._create(password)
            self.stdout.write(f"Sign in as {EMAIL} with the password {password}")
        else:
            self.stdout.write(
                f"Sign in as {EMAIL} with the password from the first start "
                f"(lost it? `VAR_DIR={settings.VAR_DIR} .venv/bin/python manage.py changepassword {EMAIL}`)"
            )

    @transaction.atomic
    def _create(self, password):
        try:
            user = User.objects.create_superuser(EMAIL, password, name="Olivia Wood")
        except ValidationError as error:
            raise CommandError(f"DEMO_PASSWORD: {error.messages[0]}") from None
        # Only with the first owner: a demo domain that was deleted or transferred later is left alone.
        if not Domain.objects.filter(name=DOMAIN).exists():
            by = Actor(user.email, user)
            Domain.objects.add(DOMAIN, by=by).authorize(by=by)
