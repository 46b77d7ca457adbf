from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from audit.actor import Actor
from domains import names
from domains.members import actions
from domains.models import Domain


class Command(BaseCommand):
    help = (
        "Make a user an owner of a domain whose owners can no longer do it. Be sure whose domain it is: "
        "owners see its SMTP passwords. All owners are notified by e-mail, and members see it under Activity."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="the domain")
        parser.add_argument("email", help="the new owner; a user who can sign in")
        parser.add_argument(
            "--member", metavar="EMAIL", help="a member of the domain, when several accounts have added it"
        )

    def handle(self, *, name, email, member, **options):
        domain, user = self._find(name, member), self._user(email)
        if not user.is_active:
            raise CommandError(f"{user.email} is not active and can't sign in.")
        if actions.make_owner(domain, user, by=Actor.system("make_owner")):
            self.stdout.write(
                f"{user.email} is now an owner of {domain.name}. All of its owners get an e-mail."
            )
        else:
            self.stdout.write(f"{user.email} is already an owner of {domain.name}; nothing changed.")

    def _find(self, name, member):
        try:
            name = names.normalise(name, public_suffixes=True)
        except names.InvalidDomainName as error:
            raise CommandError(str(error)) from None
        found = Domain.objects.filter(name=name)
        if member:
            found = found.filter(memberships__user=self._user(member))
        found = list(found[:2])
        if not found:
            raise CommandError(f"There is no domain {name}{f' of {member}' if member else ''}.")
        if len(found) > 1:
            raise CommandError(f"Several accounts have added {name}. Choose one with --member EMAIL.")
        return found[0]

    def _user(self, email):
        try:
            return User.objects.get_by_natural_key(email)
        except User.DoesNotExist:
            raise CommandError(f"There is no user {email}.") from None
