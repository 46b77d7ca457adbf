"""Adding many domains at once: each as a single one is added, or the reason why not."""

from typing import NamedTuple

from django.core.exceptions import ValidationError

from domains import names
from domains.forms import domain_name
from domains.models import Domain


class Result(NamedTuple):
    """What became of each text, in the order that they were typed."""

    added: list[Domain]
    known: list[Domain]  # in the list of this user already
    refused: list[tuple[str, str]]  # text, reason


def add(texts, *, by) -> Result:
    """Add the domains that texts name, each in a transaction of its own."""
    refused, wanted = [], {}
    for text in texts:
        try:
            wanted.setdefault(domain_name(names.host_in(text) or text, user=by.user))
        except ValidationError as error:
            refused.append((text, error.messages[0]))
    known = list(Domain.objects.for_user(by.user).filter(name__in=wanted))
    new = [name for name in wanted if name not in {domain.name for domain in known}]
    return Result([Domain.objects.add(name, by=by) for name in new], known, refused)
