"""The token in the mailed link for a new password."""

from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import PasswordResetTokenGenerator


class TokenGenerator(PasswordResetTokenGenerator):
    """Like allauth's own, valid until the password or an address changes, but without writing.

    allauth adds a missing row for the login address: a request for a link would leave one with any account,
    and the time of a request without an account would differ.
    """

    def _make_hash_value(self, user, timestamp):
        rows = EmailAddress.objects.filter(user_id=user.pk).values_list("email", flat=True)
        return super()._make_hash_value(user, timestamp) + "|".join(sorted({user.email.lower(), *rows} - {""}))
