"""The Jinja2 environment of our own pages (templates/jinja2/).

A full tab renders several times as fast as with Django's engine, which renders the admin and the e-mails.
"""

import re
from datetime import timedelta
from functools import lru_cache
from html import unescape

from django.conf import settings
from django.contrib.messages import get_messages
from django.templatetags.static import static
from django.utils.html import strip_tags
from django.utils.translation import ngettext
from jinja2 import Environment

from credentials import networks
from credentials.models.base import short
from credentials.revocations import revokes
from domains.access import came_from
from domains.activity.sentences import own_sentence, sentence
from web.characters import harmless
from web.dates import ago, date, day, how_long, long_ago, moment, second, until, until_hour
from web.paths import path_of
from web.plurals import counted
from web.request_id import current_id

_HEADING = re.compile(r"<h2\b[^>]*>(.*?)</h2>", re.DOTALL)


def environment(**options) -> Environment:
    env = Environment(**options, trim_blocks=True, lstrip_blocks=True)  # noqa: S701  (Django sets autoescape)
    env.globals.update(messages=get_messages, static=lru_cache(static), url=path_of, request_id=current_id)
    env.globals.update(theme_cookie=settings.THEME_COOKIE_NAME, ngettext=ngettext)
    env.globals.update(came_from=came_from, sign_in_counts_for=_sign_in_counts_for)
    env.filters.update(
        ago=ago,
        date=date,
        day=day,
        how_long=how_long,
        long_ago=long_ago,
        moment=moment,
        second=second,
        until=until,
        until_hour=until_hour,
        sentence=sentence,
        own_sentence=own_sentence,
        harmless=harmless,
        counted=counted,
        short=short,
        networks=networks.summary,
    )
    env.filters["heading"] = _heading
    env.tests["revoking"] = revokes
    return env


def _sign_in_counts_for() -> str:
    """Return after how long a sign-in has to be confirmed: `15 minutes`."""
    return how_long(timedelta(seconds=settings.REAUTHENTICATION_TIMEOUT))


def _heading(markup) -> str:
    """Return the text of a question's first heading, as the title of its page."""
    found = _HEADING.search(str(markup))
    return unescape(strip_tags(found[1])) if found else ""
