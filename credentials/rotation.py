"""A rotation without downtime: the old password works beside the new one for a grace period."""

from datetime import datetime, timedelta
from typing import Any

# Grace periods, by the value that the form sends.
KEEP_FOR = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
CHOICES = (("", "now"), ("1h", "in 1 hour"), ("24h", "in 24 hours"), ("7d", "in 7 days"))
MAX_SILENCE_WAIT = timedelta(hours=24)


def is_running(credential: Any, now: datetime) -> bool:
    """Whether the previous password still works. Reads no secret of the credential."""
    return bool(credential.previous_valid_until) and credential.previous_valid_until > now


def silence(credential: Any, now: datetime) -> timedelta | None:
    """How long the old password has been unused, once that means something; None before that.

    It does after a quarter of the grace period, at the latest after a day: a site that still has
    the old password would have used it by then.
    """
    since = credential.previous_last_used_at or credential.password_changed_at
    whole = credential.previous_valid_until - credential.password_changed_at
    return now - since if now - since >= min(whole / 4, MAX_SILENCE_WAIT) else None
