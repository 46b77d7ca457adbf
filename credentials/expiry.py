"""The day after which a credential is refused, and the moment that this is in the site's time zone."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

NEAR = timedelta(days=7)
MORE = timedelta(days=90)
MAX_YEARS = 10


def today() -> date:
    return timezone.localdate(timezone=timezone.get_default_timezone())


def latest() -> date:
    """The last day that may be chosen."""
    now = today()
    return date(now.year + MAX_YEARS, now.month, min(now.day, 28))


def end_of(day: date) -> datetime:
    """The last moment of a day: by the next midnight, so that a day of 23 or 25 hours ends right."""
    midnight = datetime.combine(day + timedelta(days=1), time.min, timezone.get_default_timezone())
    return midnight.astimezone(timezone.get_fixed_timezone(0)) - timedelta.resolution


def day_of(expires_at: datetime) -> date:
    """The day that a moment of expiry is in."""
    return timezone.localdate(expires_at, timezone.get_default_timezone())


def is_near(expires_at: datetime | None, at: datetime) -> bool:
    """Whether it is over, or will be within 7 days."""
    return expires_at is not None and expires_at - at <= NEAR


def cuts_short(expires_at: datetime | None, before: datetime | None, at: datetime) -> bool:
    """Whether it ends sooner than before, and before its owners have had the week that they are warned by."""
    if expires_at is None or not is_near(expires_at, at):
        return False
    return before is None or expires_at < before


def extended(expires_at: datetime) -> datetime:
    """90 days more, from today when it is over already."""
    return end_of(max(day_of(expires_at), today()) + MORE)
