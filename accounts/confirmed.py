"""Whose login address is confirmed: a verified row of allauth's EmailAddress says so.

Others sign in nowhere and are given nothing: anybody can sign up with anybody's address. A mailed
link confirms it (of a sign-up, a password reset or an invitation), an OpenID provider does, and an
operator who makes the account vouches for it.
"""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower


def confirm_unclaimed(users, addresses):
    """Confirm the accounts that an operator made before that was noted; both are managers of the models.

    Only a sign-up makes an unverified address the primary one. Of the others, whoever has chosen a
    password or signed in did so by a mailed link, a provider or the operator's command. A new
    person from the admin who did neither yet confirms the address by the link for a password.
    """
    login = addresses.filter(user=OuterRef("pk"), email=Lower(OuterRef("email")))
    came_in = users.exclude(email="").exclude(last_login=None, password__startswith=UNUSABLE_PASSWORD_PREFIX)
    settled = login.filter(Q(primary=True) | Q(verified=True))
    for user in came_in.exclude(Exists(settled)).only("email").iterator():
        email = user.email.lower()
        # The address of one account only: what is left at another, whose login it is not, counts for nothing.
        addresses.filter(email=email, verified=True).delete()
        addresses.filter(user=user, primary=True).update(primary=False)
        addresses.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
