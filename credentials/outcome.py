"""The outcome of a login."""

from django.db.models import TextChoices


class Outcome(TextChoices):
    """Whether a login is accepted, and why not. A client never learns why: that is for log and dashboard."""

    ACCEPTED = "accepted", "accepted"
    UNKNOWN_USERNAME = "unknown_username", "unknown username"
    WRONG_PASSWORD = "wrong_password", "wrong password"
    # A wrong password that was right before a reset. Found when the login is counted.
    OLD_PASSWORD = "old_password", "old password"
    # Wrong passwords that the embedded listener recognizes by their form.
    PADDED_PASSWORD = "padded_password", "password with a blank or line end too many"
    CUT_PASSWORD = "cut_password", "password cut off"
    SUSPENDED = "suspended", "suspended"
    EXPIRED = "expired", "expired"
    DOMAIN_SUSPENDED = "domain_suspended", "domain suspended"
    DOMAIN_NOT_AUTHORIZED = "domain_not_authorized", "domain not authorized"
    NETWORK_NOT_ALLOWED = "network_not_allowed", "network not allowed"
    # More at once than can be kept until they are written: only their number is known.
    UNCOUNTED = "uncounted", "uncounted"


# Why a login is refused.
CAUSES = {
    outcome.value: outcome.label for outcome in Outcome if outcome not in (Outcome.ACCEPTED, Outcome.UNCOUNTED)
}
