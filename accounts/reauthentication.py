"""Dangerous acts ask again who is there, when the sign-in is not recent."""

from allauth.account.decorators import reauthentication_required as recent_sign_in  # noqa: F401
