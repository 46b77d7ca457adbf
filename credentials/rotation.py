"""A rotation without downtime: the old password works beside the new one for a while."""

from datetime import datetime, timedelta
from typing import Any

# How long, by what the form sends.
KEEP_FOR = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
CHOICES = (("", "Not at all"), ("1h", "1 hour"), ("24h", "24 hours"), ("7d", "7 days"))
SILENT_AFTER_AT_MOST = timedelta(hours=24)


def is_running(credential: Any, at: datetime) -> bool:
    """Whether the password before this one is still kept. Needs no secret of the credential."""
    return bool(credential.previous_valid_until) and credential.previous_valid_until > at


def silence(credential: Any, at: datetime) -> timedelta | None:
    """For how long nobody has used the old password, once that tells something; else None.

    That is after a quarter of the overlap, and after a day of the longest: what still holds
    the old password has had its time to come by.
    """
    since = credential.previous_last_used_at or credential.password_changed_at
    whole = credential.previous_valid_until - credential.password_changed_at
    return at - since if at - since >= min(whole / 4, SILENT_AFTER_AT_MOST) else None
