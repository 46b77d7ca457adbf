"""The template engine of our own pages (templates/jinja2/).

Jinja2 compiles to Python: a full tab renders several times as fast as with Django's
engine, which keeps the admin and the mail texts of the libraries.
"""

from functools import lru_cache

from django.contrib.messages import get_messages
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment

from audit.sentences import sentence
from audit.times import ago, day, long_ago, moment, until
from credentials.page import of_user
from sendlayer.tracing import current_id


def environment(**options) -> Environment:
    env = Environment(**options, trim_blocks=True, lstrip_blocks=True)  # noqa: S701  (Django sets autoescape)
    env.globals.update(messages=get_messages, static=lru_cache(static), url=_url, request_id=current_id)
    env.filters.update(
        ago=ago, day=day, long_ago=long_ago, moment=moment, until=until, sentence=sentence, of_user=of_user
    )
    return env


@lru_cache(maxsize=2048)
def _url(route: str, *args: str) -> str:
    return reverse(route, args=args)
