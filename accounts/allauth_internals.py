"""The names of django-allauth that are not public: an upgrade may move or change them.

Nothing else may import from its `internal` packages (tests/accounts/test_allauth_internals.py).
"""

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY as SUSPENDED_REQUEST_KEY
from allauth.account.internal.flows.reauthentication import suspend_request
from allauth.core.internal.ratelimit import consume, truncate_ip
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY as TOTP_SECRET_KEY
from allauth.mfa.webauthn.internal.auth import complete_authentication, extract_user_from_response

WRITTEN_FOR = "65.21.1"
__all__ = [
    "SUSPENDED_REQUEST_KEY",
    "TOTP_SECRET_KEY",
    "complete_authentication",
    "consume",
    "extract_user_from_response",
    "perform_password_login",
    "send_verification_email_to_address",
    "suspend_request",
    "truncate_ip",
]
