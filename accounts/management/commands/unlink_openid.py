from allauth.socialaccount.models import SocialAccount
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

import audit
from accounts.models import User
from audit.actor import Actor
from web.logs import one_line


class Command(BaseCommand):
    help = "Remove a user's link to the OpenID Connect provider; the next sign-in there links again, by e-mail."

    def add_arguments(self, parser):
        parser.add_argument("email")

    @transaction.atomic
    def handle(self, *, email, **options):
        try:
            user = User.objects.get_by_natural_key(email)
        except User.DoesNotExist:
            raise CommandError(f"There is no user {one_line(email)}.") from None
        User.objects.hold(user.pk)
        links = SocialAccount.objects.filter(user=user)
        removed = list(links.values("provider", "uid"))
        links.delete()
        for link in removed:
            data = {"user": user.email, "issuer": link["provider"], "sub": link["uid"]}
            audit.record("account.unlinked_from_openid", by=Actor.system("unlink_openid"), data=data)
        self.stdout.write(f"{one_line(user.email)}: {len(removed)} link(s) removed.")
