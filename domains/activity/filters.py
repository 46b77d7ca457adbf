"""The filters of the Activity page: by person, SMTP user and kind of event, all from the query string."""

import re
from typing import NamedTuple

from django.db.models import Q
from django.http import QueryDict
from django.utils.http import urlencode

from domains.activity.sentences import SENTENCES
from web.search.query import parse

MAX_TEXT = 100
SERVER = "server"  # as a person: what the server did by itself
PASSWORDS = (
    *("credential.password_shown", "credential.password_copied"),
    *("credential.handed_over", "credential.hand_over_opened"),
)
KINDS = {
    "passwords": "Passwords shown or handed over",
    "smtp": "SMTP users added or changed",
    "members": "Members and invitations",
    "domain": "The domain",
}
_PERSON = re.compile(r"[1-9][0-9]{0,17}")
_CLEARLY_A_USERNAME = 8  # characters; fewer may be a label as well


def kind_of(tag) -> str:
    if tag in PASSWORDS:
        return "passwords"
    app = tag.partition(".")[0]
    if app == "credential":
        return "smtp"
    return "members" if app == "member" or tag.startswith("support.member") else "domain"


TAGS = {kind: [tag for tag in SENTENCES if kind_of(tag) == kind] for kind in KINDS}


class Filters(NamedTuple):
    """What to show of a domain's events; "" for everything. An unknown value counts as none."""

    person: str = ""  # the id of a user, or SERVER
    credential: str = ""  # a username, or a part of a label
    kind: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> "Filters":
        person, kind = query.get("person", ""), query.get("kind", "")
        return cls(
            person if person == SERVER or _PERSON.fullmatch(person) else "",
            query.get("credential", "").replace("\x00", "").strip()[:MAX_TEXT],
            kind if kind in KINDS else "",
        )

    def __bool__(self):
        return any(self)

    @property
    def query(self) -> str:
        return urlencode({name: value for name, value in self._asdict().items() if value})

    def of_domain(self, domain, events):
        """Return those of a domain's events that they let through."""
        if self.person:
            events = events.filter(actor=None if self.person == SERVER else int(self.person))
        if self.kind:
            events = events.filter(tag__in=TAGS[self.kind])
        return _about(domain, events, self.credential) if self.credential else events


def _about(domain, events, text):
    found = parse(text)
    if found.is_username or len(found.start) >= _CLEARLY_A_USERNAME:
        return events.about(found.start).filter(credential__endswith=found.end)
    labelled = Q(credential__in=domain.credentials.filter(label__icontains=text).values("username"))
    return events.filter(labelled | Q(credential__startswith=found.start) if found.start else labelled)
