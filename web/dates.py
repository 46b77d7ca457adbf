"""Times for people: `Apr 11, 2022`, with the exact time on hover.

They are in the site's time zone; static/js/times.js turns them into the visitor's.
"""

from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.safestring import SafeString

from web.plurals import counted

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
JUST_NOW = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def day(when):
    """A date like `Apr 11, 2022`; `Just now` within a minute."""
    return _time(when, lambda local, date: "Just now" if timezone.now() - when < JUST_NOW else date)


def date(when):
    """A date like `Apr 11, 2022`, today's too: within a sentence."""
    return _time(when, lambda local, date: date)


def ago(when):
    """How long ago, up to a day; a date before that."""
    return _time(when, lambda local, date: _passed(timezone.now() - when) or date)


def age(when):
    """How long ago, however long, as it reads within a sentence: `just now`, `26 hours ago`, `3 days ago`."""
    passed = timezone.now() - when
    return _time(when, lambda local, date: "just now" if passed < JUST_NOW else f"{how_long(passed)} ago")


def long_ago(when):
    """How long ago, as it reads within a sentence."""
    return SafeString(ago(when).replace("Just now", "just now"))


def until(when):
    """Which day a time to come is on, as `in_days` says it."""
    return _time(when, lambda local, date: in_days(when))


def in_days(when: datetime) -> str:
    """How many days of the calendar it is until a time to come: `today`, `tomorrow`, `in 4 days`.

    In the site's time zone, at any hour: what expires on Friday expires "in 4 days" all Monday long.
    """
    zone = timezone.get_default_timezone()
    days = (timezone.localdate(when, zone) - timezone.localdate(timezone=zone)).days
    return ("today", "tomorrow")[max(days, 0)] if days < 2 else f"in {days} days"


def until_hour(when):
    """How long it is until a time within a day or two, in hours that have begun: `in 23 hours`."""
    hours = max(-(-(when - timezone.now()) // HOUR), 1)
    return _time(when, lambda local, date: f"in {counted(hours, 'hour', 'hours')}")


def how_long(time):
    """How long a time is, in whole minutes, hours or days: `26 hours`."""
    for unit, name, most in ((JUST_NOW, "minute", HOUR), (HOUR, "hour", 2 * DAY)):
        if time < most:
            return counted(time // unit, name, f"{name}s")
    return counted(time // DAY, "day", "days")


def moment(when):
    """Date and time of day, with the site's time zone: `Apr 11, 2022, 14:03 UTC`."""
    return _time(when, lambda local, date: f"{date}, {local.hour:02}:{local.minute:02} {local.tzname()}")


def second(when):
    """The same with seconds: `Apr 11, 2022, 14:03:07 UTC`."""
    return _time(when, lambda local, date: f"{date}, {local:%H:%M:%S} {local.tzname()}")


def iso(when: datetime | None) -> str:
    """A moment for programs: ISO 8601 in UTC, to the second; "" for None."""
    return when.astimezone(UTC).isoformat(timespec="seconds") if when else ""


def _time(when, words):
    """Return the <time> element of a moment, "" for None; `words` makes its text."""
    if when is None:
        return ""
    # The whole site has one time zone: asking for the current one costs more than all the rest.
    local = when.astimezone(timezone.get_default_timezone())
    # strftime's month names depend on the locale of the process.
    date = f"{MONTHS[local.month - 1]} {local.day}, {local.year}"
    iso = local.isoformat(timespec="seconds")
    time_of_day = iso[11:19]
    # Consists of digits and month names only; format_html would cost more than the rest.
    return SafeString(
        f'<time datetime="{iso}" title="{date}, {time_of_day} {local.tzname()}">{words(local, date)}</time>'
    )


def _passed(time: timedelta) -> str:
    """Return how much time has passed, in words; "" for a day and more."""
    if time < JUST_NOW:
        return "Just now"
    if time < HOUR:
        return counted(time // JUST_NOW, "minute", "minutes") + " ago"
    return counted(time // HOUR, "hour", "hours") + " ago" if time < DAY else ""
