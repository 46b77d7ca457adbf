"""Times as people read them: `Apr 11, 2022`, with the exact time on hover."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from web.text import plural

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
JUST_NOW = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def day(at):
    """A date like `Apr 11, 2022`; `Just now` within a minute."""
    return _time(at, lambda local: "Just now" if timezone.now() - at < JUST_NOW else _date(local))


def date(at):
    """A date like `Apr 11, 2022`, today's too: within a sentence."""
    return _time(at, _date)


def ago(at):
    """How long ago, up to a day; a date before that."""
    return _time(at, lambda local: _passed(timezone.now() - at) or _date(local))


def long_ago(at):
    """How long ago, as it reads within a sentence."""
    return SafeString(ago(at).replace("Just now", "just now"))


def until(at):
    """How long it is until a time to come, in whole days or hours: `in 7 days`."""
    left = at - timezone.now()
    unit, name = (DAY, "day") if left > DAY else (HOUR, "hour")
    words = plural(max(-(-left // unit), 1), name)
    return _time(at, lambda local: f"in {words}")


def how_long(time):
    """How long a time is, in whole minutes, hours or days: `26 hours`."""
    for unit, name, most in ((JUST_NOW, "minute", HOUR), (HOUR, "hour", 2 * DAY)):
        if time < most:
            return plural(time // unit, name)
    return plural(time // DAY, "day")


def moment(at):
    """Date and time of day: `Apr 11, 2022, 14:03`."""
    return _time(at, lambda local: f"{_date(local)}, {local.hour:02}:{local.minute:02}")


def iso(at: datetime | None) -> str:
    """A moment for programs: ISO 8601 in UTC, to the second; "" for None."""
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""


def _time(at, words):
    """The <time> element of a moment, "" for None; `words` makes its text from the local time."""
    if at is None:
        return ""
    # One time zone for the whole site: asking for the current one costs more than all the rest.
    local = at.astimezone(timezone.get_default_timezone())
    exact = f"{_date(local)}, {local.hour:02}:{local.minute:02}:{local.second:02} {local.tzname()}"
    # All of it is made here, of digits and month names; format_html would cost more than the rest.
    return mark_safe(  # noqa: S308
        f'<time datetime="{local.isoformat(timespec="seconds")}" title="{exact}">{words(local)}</time>'
    )


def _date(local: datetime) -> str:
    # Written out: strftime's month names follow the locale of the process.
    return f"{MONTHS[local.month - 1]} {local.day}, {local.year}"


def _passed(time: timedelta) -> str:
    """How much time it is, in words; "" for a day and more."""
    if time < JUST_NOW:
        return "Just now"
    if time < HOUR:
        return plural(time // JUST_NOW, "minute") + " ago"
    return plural(time // HOUR, "hour") + " ago" if time < DAY else ""
