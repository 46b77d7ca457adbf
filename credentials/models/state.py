"""What a credential is at a moment: derived from its columns, never stored."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import TextChoices

from credentials import networks, rotation
from credentials.expiry import NEAR
from credentials.models.login_day import IN_USE_FOR, REFUSAL_SHOWN_FOR
from credentials.outcome import Outcome

LIVE_CHECK_TAKES = timedelta(seconds=60)
IN_USE_WITHIN = timedelta(days=30)
UNUSED_AFTER = timedelta(days=90)
NEVER_USED_FOR = timedelta(days=7)


class State(TextChoices):
    """What the list is filtered by. A credential can be in several of them, or in none."""

    IN_USE = "in-use", "In use"
    UNUSED = "unused", "Unused"
    EXPIRING = "expiring", "Expiring"
    SUSPENDED = "suspended", "Suspended"
    REFUSED = "refused", "Refused"


# Each state as SQL, and the moments that its %s stand for, from now. Not as Q: the ORM needs more time to
# compile a count of all of them than the rest of the page.
_CONDITIONS: dict[State, tuple[str, *tuple[timedelta, ...]]] = {
    State.IN_USE: ("{0}.suspended_at IS NULL AND {0}.last_used_at >= %s", -IN_USE_WITHIN),
    # One that was never used counts from the day that it was added.
    State.UNUSED: (
        "{0}.suspended_at IS NULL AND COALESCE({0}.last_used_at, {0}.created_at) < %s",
        -UNUSED_AFTER,
    ),
    State.EXPIRING: ("{0}.suspended_at IS NULL AND {0}.expires_at <= %s", NEAR),
    State.SUSPENDED: ("{0}.suspended_at IS NOT NULL",),
    State.REFUSED: ("{0}.last_refused_at >= %s", -REFUSAL_SHOWN_FOR),
}
_TROUBLED = (
    "{0}.suspended_at IS NULL AND ({0}.expires_at <= %s OR ({0}.last_used_at IS NULL AND {0}.created_at <= %s))"
)


def condition(state: State, table: str, now: datetime) -> tuple[str, list]:
    """SQL that is true for the rows of a table in this state, and its parameters."""
    sql, *moments = _CONDITIONS[state]
    return sql.format(table), _from(now, *moments)


def troubled(table: str, now: datetime) -> tuple[str, list]:
    """The same for those that expire soon, or were not used within a week after they were added."""
    return _TROUBLED.format(table), _from(now, NEAR, -NEVER_USED_FOR)


def _from(now, *moments) -> list:
    return [connection.ops.adapt_datetimefield_value(now + moment) for moment in moments]


class CredentialState:
    """The questions to a credential that change nothing."""

    def outcome(self, now, ip="") -> Outcome:
        """What a login with the right password comes to, from this address ("": from anywhere)."""
        if self.suspended_at:
            return Outcome.SUSPENDED
        if self.expires_at and self.expires_at <= now:
            return Outcome.EXPIRED
        if self.domain.suspended_at:
            return Outcome.DOMAIN_SUSPENDED
        if not self.domain.is_authorized:
            return Outcome.DOMAIN_NOT_AUTHORIZED
        if ip and not networks.allows(self.allowed_networks, ip):
            return Outcome.NETWORK_NOT_ALLOWED
        return Outcome.ACCEPTED

    def still_takes(self, verifier, now, ip="") -> bool:
        """Whether a login that fitted this verifier would be accepted now."""
        known = verifier in (self.verifier, self.previous_verifier_at(now))
        return known and self.outcome(now, ip) is Outcome.ACCEPTED

    def previous_verifier_at(self, now) -> str | None:
        """The verifier of the password before this one, while that is still accepted."""
        return self.previous_verifier if rotation.is_running(self, now) else None

    def is_checked_from(self, ip, now) -> bool:
        """Whether a login at this time and from this address was the dashboard's own check."""
        if not self.checked_at or self.checked_from != ip:
            return False
        return abs(now - self.checked_at) < LIVE_CHECK_TAKES

    def was_used_recently(self, now) -> bool:
        """Whether some site or app used it within 24 hours, so that taking it away hurts now."""
        return bool(self.last_used_at) and now - self.last_used_at < IN_USE_FOR

    def was_old_password_used_recently(self, now) -> bool:
        """Whether something used the old password within 24 hours, and still could."""
        used_at = self.previous_last_used_at
        return rotation.is_running(self, now) and bool(used_at) and now - used_at < IN_USE_FOR
