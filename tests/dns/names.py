"""A DNS in memory, for tests of how its answers are judged."""

from domains.dns.hosts import parent
from domains.dns.lookups import Lookups
from domains.dns.resolver import Absent, Answer, Found, Unanswered


class Names:
    """Answers from records, {"host TYPE": values}; a wildcard is `*.host TYPE`, and `broken` names fail."""

    def __init__(self, records=(), broken=()):
        self._records, self._broken, self.asked = dict(records), broken, []

    def ask(self, name: str, kind: str) -> Answer:
        self.asked.append(name)
        if name in self._broken:
            return Unanswered("the DNS resolver answered SERVFAIL")
        owner = self._owner(name)
        if found := self._records.get(f"{owner} CNAME"):
            if kind == "CNAME":
                return found if isinstance(found, Found) else Found(found)
            target = found.values[0] if isinstance(found, Found) else found[0]
            answer = self.ask(target, kind)
            return Found(answer.values, via=target) if isinstance(answer, Found) else Absent(via=target)
        values = self._records.get(f"{owner} {kind}")
        return Found(tuple(values)) if values else Absent(is_nowhere=not self._exists(owner))

    def _owner(self, name):
        """The name itself, or the wildcard that covers it (RFC 4592)."""
        encloser = name
        while not self._exists(encloser) and encloser:
            encloser = parent(encloser)
        return name if encloser == name else f"*.{encloser}"

    def _exists(self, name):
        return any(key.split()[0] == name or key.split()[0].endswith(f".{name}") for key in self._records)


def lookups(records=(), broken=()) -> Lookups:
    return Lookups(Names(records, broken))
