"""Confirmed login addresses: those with a verified row of allauth's EmailAddress.

A user with an unconfirmed one can't sign in and gets no access: anyone can sign up with any address. The
link of a sign-up, a password reset or an invitation confirms it, and so does an OpenID provider; for an
account that an operator makes, the operator vouches.
"""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower


def confirm_unclaimed(users, addresses):
    """Confirm accounts that an operator made before confirmations were recorded; takes both models' managers.

    Only a sign-up makes an unverified address the primary one. Users of other accounts who chose a password
    or signed in did so by a mailed link, a provider or the operator's command. A new user from the admin
    who did neither yet confirms the address by the link for a password.
    """
    login = addresses.filter(user=OuterRef("pk"), email=Lower(OuterRef("email")))
    came_in = users.exclude(email="").exclude(last_login=None, password__startswith=UNUSABLE_PASSWORD_PREFIX)
    settled = login.filter(Q(primary=True) | Q(verified=True))
    for user in came_in.exclude(Exists(settled)).only("email").iterator():
        email = user.email.lower()
        # An address belongs to one account: rows of accounts with another login are left-overs.
        addresses.filter(email=email, verified=True).delete()
        addresses.filter(user=user, primary=True).update(primary=False)
        addresses.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
