"""What one check asks the DNS: each question once, and what can be concluded from several answers."""

import secrets
from typing import Protocol

from domains.dns.hosts import is_within, parent
from domains.dns.resolver import Absent, Answer, Found, Unanswered

MAX_PARENTS = 5  # that are asked for a zone
MAX_QUESTIONS = 100  # of a check, whatever the records lead to


class Asks(Protocol):
    def ask(self, name: str, kind: str) -> Answer: ...


class Lookups:
    """Answers of a resolver, remembered for as long as a check runs."""

    def __init__(self, resolver: Asks):
        self._resolver = resolver
        self._answers: dict[tuple[str, str], Answer] = {}
        self._made_up = f"sl-{secrets.token_hex(8)}"

    def ask(self, host: str, type: str) -> Answer:
        question = host.lower(), type
        if question not in self._answers:
            if len(self._answers) >= MAX_QUESTIONS:
                return Unanswered("its records lead to too many others")
            self._answers[question] = self._resolver.ask(host, type)
        return self._answers[question]

    def is_from_wildcard(self, host: str, type: str) -> bool | None:
        """Whether a made-up name beside a host has the same answer; None when that can't be told.

        Both are synthesized from the same wildcard, if there is one (RFC 4592 section 3.3.1).
        """
        here, beside = self.ask(host, type), self.ask(f"{self._made_up}.{parent(host)}", type)
        if isinstance(here, Unanswered) or isinstance(beside, Unanswered):
            return None
        return _is_same(here, beside)

    def zone_of(self, name: str, top: str) -> str:
        """Return the zone that a name's records are in, "" when that can't be told; `top` ends the search."""
        for _ in range(MAX_PARENTS):
            answer = self.ask(name, "SOA")
            if isinstance(answer, Unanswered):
                return ""
            if not answer.via:
                if isinstance(answer, Found):
                    return name
                if answer.zone:
                    return answer.zone
            if name == top or not is_within(name, top):
                return ""
            name = parent(name)  # a name with a CNAME is no zone
        return ""


def _is_same(here: Found | Absent, beside: Found | Absent) -> bool:
    if here.via or beside.via:
        return here.via.lower() == beside.via.lower()
    if isinstance(here, Found) and isinstance(beside, Found):
        return not set(here.values).isdisjoint(beside.values)
    return False
