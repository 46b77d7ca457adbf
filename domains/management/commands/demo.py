import os
import secrets

from django.core.management.base import BaseCommand

from accounts.models import User
from audit.actor import Actor
from domains.models import Domain

EMAIL = "owner@example.com"
DOMAIN = "sl.example.com"


class Command(BaseCommand):
    help = (
        f"Make a first owner ({EMAIL}) and an authorized domain ({DOMAIN}) to look around with. "
        "The password is DEMO_PASSWORD, or a random one that is printed. Run again, it changes nothing."
    )

    def handle(self, **options):
        user = User.objects.filter(email=EMAIL).first()
        if user is None:
            password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(12)
            user = User.objects.create_superuser(EMAIL, password, name="Olivia Wood")
            self.stdout.write(f"Sign in as {EMAIL} with the password {password}")
        else:
            self.stdout.write(
                f"Sign in as {EMAIL} with the password from the first start "
                f"(lost it? `.venv/bin/python manage.py changepassword {EMAIL}`)"
            )
        by = Actor(user.email, user)
        domain = Domain.objects.for_user(user).filter(name=DOMAIN).first() or Domain.objects.add(DOMAIN, by=by)
        domain.authorize(by=by)
