from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from audit.actor import Actor
from domains import names
from domains.models import AlreadyAuthorized, Domain, NameSuspended
from web.logs import one_line


class Command(BaseCommand):
    help = (
        "Authorize a domain without a DNS proof, and issue its first SMTP user. With --owner it also adds "
        "one that users can't add: a public suffix like nic.in, which others register names under."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="the domain, as its owner added it")
        parser.add_argument(
            "--owner",
            metavar="EMAIL",
            help="the owner, when several users have added the domain; adds it when nobody has",
        )

    def handle(self, *, name, owner, **options):
        domain = self._find(name, owner)
        try:
            credential = domain.authorize(by=Actor.system("authorize_domain"))
        except AlreadyAuthorized:
            raise CommandError(f"{domain.name} is already authorized in another account.") from None
        except NameSuspended:
            raise CommandError(
                f"{domain.name} is suspended. Resume it in the admin first, in each account that has it."
            ) from None
        if credential is None:
            self.stdout.write(f"{domain.name} is already authorized; nothing changed.")
        else:
            self.stdout.write(f"{domain.name} has been authorized. First SMTP username: {credential.username}")

    def _find(self, name, owner):
        try:
            name = names.normalise(name, public_suffixes=True)
        except names.InvalidDomainName as error:
            raise CommandError(str(error)) from None
        user = self._user(owner) if owner else None
        found = Domain.objects.filter(name=name)
        found = list(found.filter(memberships__user=user, memberships__role="owner") if user else found)
        if not found and user:
            return Domain.objects.add(name, by=Actor(user.email, user))
        if not found:
            raise CommandError(f"Nobody has added {name}. Use --owner EMAIL to add it for a user.")
        # Among several, the authorized one counts.
        authorized = [domain for domain in found if domain.authorized_at]
        if len(found) > 1 and not authorized:
            raise CommandError(f"Several users have added {name}. Choose one with --owner EMAIL.")
        return (authorized or found)[0]

    def _user(self, email):
        try:
            return User.objects.get_confirmed(email)
        except User.DoesNotExist:
            raise CommandError(f"There is no user {one_line(email)}.") from None
        except User.NotConfirmed as error:
            raise CommandError(one_line(str(error))) from None
