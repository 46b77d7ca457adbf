"""Plain functions that make rows for tests, through the same verbs that the product uses."""

from datetime import timedelta
from functools import cache

from django.contrib.auth.hashers import get_hasher, make_password
from django.utils import timezone

from accounts.models import User
from audit.actor import Actor
from credentials.models.base import password_data
from credentials.outcome import Outcome
from credentials.usage.tally import Tally
from domains.models import Domain
from vault import cipher

PASSWORD = "correct-horse-battery"
SYSTEM = Actor.system("tests")


def make_user(email="someone@example.com", *, confirmed=True, **fields):
    user = User.objects.create(email=email, password=_hashed(get_hasher()), **fields)
    if confirmed:  # as user.confirm(), in one statement: thousands of tests begin with this
        user.emailaddress_set.create(email=email.lower(), verified=True, primary=True)
    return user


def make_claim(email="someone@example.com", **fields):
    """An account as a sign-up leaves it: nobody has shown yet that the address is theirs."""
    user = make_user(email, confirmed=False, **fields)
    user.emailaddress_set.create(email=email, primary=True)
    return user


@cache
def _hashed(hasher):
    # Made once: where it is the real, slow one, half a second a person adds up over a whole run.
    return make_password(PASSWORD, hasher=hasher)


def make_domain(name="sl.example.com", *, owner=None, authorized=True):
    """A domain without credentials, so that each test counts only its own."""
    owner = owner or make_user(f"owner@{name}")
    domain = Domain.objects.add(name, by=Actor(owner.email, owner))
    if authorized:
        domain.authorized_at = timezone.now()
        domain.save(update_fields=["authorized_at"])
    return domain


def make_invitation(domain, email="new@example.org", role="viewer", *, by=None):
    """One that is good for a day, from `by` or an owner of the domain; no letter goes out."""
    by = by or domain.members.filter(memberships__role="owner").first()
    expires_at = timezone.now() + timedelta(days=1)
    return domain.invitations.create(email=email, role=role, invited_by=by, expires_at=expires_at)


def make_credential(domain=None, **fields):
    """A credential made by `issue`; `fields` are then set on its row."""
    domain = domain or make_domain()
    label = fields.pop("label", "")
    credential, _password = domain.credentials.issue(by=SYSTEM, label=label)
    if fields:
        type(credential).objects.filter(pk=credential.pk).update(**fields)
        credential.refresh_from_db()
    return credential


def password_of(credential):
    """The password, opened without an audit event."""
    credential.refresh_from_db(fields=["password_sealed"])
    return cipher.open(credential.password_sealed, associated_data=password_data(credential.username))


def make_use(credential, ip="203.0.113.7", *, at=None, number=1, outcome=Outcome.ACCEPTED, **more):
    """Logins as a mail server tells them: accepted ones, or refused with another outcome."""
    tally = Tally()
    tally.add(credential.username, ip, outcome, at=at, number=number, **more)
    tally.write()
