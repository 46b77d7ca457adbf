"""Expiry dates: the day after which a credential is refused, in the site's time zone."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

NEAR = timedelta(days=7)
MORE = timedelta(days=90)
MAX_YEARS = 10


def today() -> date:
    return timezone.localdate(timezone=timezone.get_default_timezone())


def latest() -> date:
    """The last day that can be chosen."""
    first = today()
    return date(first.year + MAX_YEARS, first.month, min(first.day, 28))


def end_of(day: date) -> datetime:
    """The last moment of a day, counted back from midnight: days of 23 and 25 hours end right as well."""
    midnight = datetime.combine(day + timedelta(days=1), time.min, timezone.get_default_timezone())
    return midnight.astimezone(timezone.get_fixed_timezone(0)) - timedelta.resolution


def day_of(expires_at: datetime) -> date:
    """The day on which a credential expires."""
    return timezone.localdate(expires_at, timezone.get_default_timezone())


def is_near(expires_at: datetime | None, now: datetime) -> bool:
    """Whether it has expired, or will within 7 days."""
    return expires_at is not None and expires_at - now <= NEAR


def cuts_short(expires_at: datetime | None, before: datetime | None, now: datetime) -> bool:
    """Whether a date is earlier than the one before, and too near for the warning a week ahead."""
    if expires_at is None or not is_near(expires_at, now):
        return False
    return before is None or expires_at < before


def extended(expires_at: datetime) -> datetime:
    """90 days later; 90 days from today if it has expired already."""
    return end_of(max(day_of(expires_at), today()) + MORE)
