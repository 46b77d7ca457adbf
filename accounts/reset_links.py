"""The token in the mailed link for a new password."""

from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import PasswordResetTokenGenerator


class TokenGenerator(PasswordResetTokenGenerator):
    """As allauth's own, good until the password or an address changes, but it writes nothing.

    allauth makes a row for the login address where there is none, so that anybody who asks for a
    link would leave one with every account, and a request for nobody would be known by its time.
    """

    def _make_hash_value(self, user, timestamp):
        rows = EmailAddress.objects.filter(user_id=user.pk).values_list("email", flat=True)
        return super()._make_hash_value(user, timestamp) + "|".join(sorted({user.email.lower(), *rows} - {""}))
