"""Times as people read them: `Apr 11, 2022`, with the exact time on hover."""

from datetime import timedelta

from django import template
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html

register = template.Library()

JUST_NOW = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@register.filter
def day(at):
    """A date like `Apr 11, 2022`; `Just now` within a minute."""
    if at is None:
        return ""
    return _time(at, "Just now" if timezone.now() - at < JUST_NOW else _day(at))


@register.filter
def ago(at):
    """How long ago, up to a day; a date before that."""
    if at is None:
        return ""
    passed = timezone.now() - at
    if passed < JUST_NOW:
        text = "Just now"
    elif passed < HOUR:
        text = _plural(passed // JUST_NOW, "minute")
    elif passed < DAY:
        text = _plural(passed // HOUR, "hour")
    else:
        text = _day(at)
    return _time(at, text)


@register.filter
def moment(at):
    """Date and time of day: `Apr 11, 2022, 14:03`."""
    return _time(at, format_date(timezone.localtime(at), "M j, Y, H:i")) if at else ""


def _time(at, text):
    exact = format_date(timezone.localtime(at), "M j, Y, H:i:s T")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(timespec="seconds"), exact, text
    )


def _day(at):
    return format_date(timezone.localtime(at), "M j, Y")


def _plural(count, unit):
    return f"{count} {unit}{'' if count == 1 else 's'} ago"
