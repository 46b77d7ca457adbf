"""What receivers make of an SPF record for mail from the operator's servers, within the limits of RFC 7208.

Those servers' addresses are what the operator's own record says, so a record lets them send when it comes to an
`include` of that one, or to its networks. The other terms are followed only to count what they cost.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from domains.dns import spf
from domains.dns.resolver import Answer, Found, Unanswered
from domains.dns.spf import Term

MAX_LOOKUPS = 10  # section 4.6.4
MAX_VOIDS = 2
MAX_EXCHANGES = 10
MAX_NETWORKS = 500  # that are compared with the operator's
_COUNTED = {"include", "a", "mx", "ptr", "exists", "redirect"}
_TYPES = {"a": "A", "exists": "A", "mx": "MX"}

TOO_MANY_LOOKUPS = f"It takes more than {MAX_LOOKUPS} DNS lookups, so receivers treat it as an error."
TOO_MANY_VOIDS = (
    f"More than {MAX_VOIDS} of its DNS lookups find nothing, which many receivers treat as an error."
)


class Stop(Exception):
    """What ends an evaluation: a permerror, or with `is_unknown` something that could not be looked up."""

    def __init__(self, sentence: str, *, is_unknown: bool = False):
        super().__init__(sentence)
        self.is_unknown = is_unknown


@dataclass
class Reading:
    """What a record comes to.

    `passes` is how the operator's servers pass: "include", "all" (as everybody does), or "" when they don't.
    `through` are the names that lead to the include. `stop` ended the evaluation before that, `later` after
    it. `networks` are those that pass, `is_listed` whether nothing else does. `doubt` is a term before the
    include that may exclude the servers, `excluded` one that does, and `macro` one that leads to a record that
    depends on the message.
    """

    passes: str = ""
    through: tuple[str, ...] = ()
    lookups: int = 0
    stop: Stop | None = None
    later: Stop | None = None
    networks: list[IPv4Network | IPv6Network] = field(default_factory=list)
    is_listed: bool = True
    doubt: str = ""
    excluded: str = ""
    macro: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether it is known to be valid for all mail, and to let the operator's servers send."""
        troubles = (self.stop, self.later, self.doubt, self.macro)
        return self.passes == "include" and not any(troubles)


def evaluate(record: str, name: str, include: str, ask: Callable[[str, str], Answer]) -> Reading:
    """Evaluate the record of a name. `include` is the operator's name; `ask` answers for a name and type."""
    evaluation = _Evaluation(include.lower().removesuffix("."), ask)
    reading = evaluation.reading
    try:
        reading.passes = evaluation.of_record(record, name, ())
    except Stop as stop:
        reading.stop = stop
    return reading


def lists(reading: Reading, operators: Reading) -> bool:
    """Whether a record passes all networks of the operator's, which has nothing but networks."""
    if not (operators.networks and operators.is_listed):
        return False

    def passing(version: int) -> list[Any]:
        same: Any = (network for network in reading.networks if network.version == version)
        return list(collapse_addresses(same))

    by_version: dict[int, list[Any]] = {version: passing(version) for version in (4, 6)}
    return all(
        any(network.subnet_of(wide) for wide in by_version[network.version]) for network in operators.networks
    )


class _Evaluation:
    def __init__(self, include: str, ask: Callable[[str, str], Answer]):
        self.reading = Reading()
        self._include, self._ask = include, ask
        self._voids = 0
        self._is_passing = True  # whether a match here makes the whole record pass
        self._is_in_own = False  # within the operator's record

    def of_record(self, record: str, name: str, path: tuple[str, ...]) -> str:
        """Return how the servers pass by a record. The terms after that are only counted. Raises Stop."""
        try:
            terms = spf.parse(record)
        except spf.Invalid as error:
            raise Stop(str(error)) from None
        passes, is_closed, doubt = "", False, ""
        for term in terms:
            try:
                matches = self._matches(term, name, path)
            except Stop as stop:
                if not passes:
                    raise
                self.reading.later = self.reading.later or stop
                return passes
            if passes or is_closed:
                continue
            if term.lets_pass and self._is_passing and not doubt:
                self._note_addresses(term)
            if matches and term.lets_pass:
                passes = matches
                self.reading.doubt = self.reading.doubt or doubt
            elif matches:
                is_closed = True
                if matches != "all":
                    self.reading.excluded = self.reading.excluded or term.text
            elif not term.lets_pass and not self._is_in_own:
                doubt = doubt or term.text
        return passes

    def _matches(self, term: Term, name: str, path: tuple[str, ...]) -> str:
        """Return how the servers match a term, "" when they don't, as far as can be told. Raises Stop."""
        if term.name == "all":
            return "all"
        if term.name in _COUNTED:
            self.reading.lookups += 1
            if self.reading.lookups > MAX_LOOKUPS:
                raise Stop(TOO_MANY_LOOKUPS)
        leads_on = term.name in ("include", "redirect")
        if term.has_macro:
            if leads_on and not self._is_in_own:
                self.reading.macro = self.reading.macro or term.text
        elif leads_on:
            return self._of_other(term, path)
        elif term.name in _TYPES:
            self._count_void(term, name)
        return ""

    def _of_other(self, term: Term, path: tuple[str, ...]) -> str:
        """Return how the servers pass by the record of another name."""
        path = (*path, term.value)
        is_own = term.value == self._include
        if is_own and not self.reading.through:
            self.reading.through = path
        before = self._is_in_own, self._is_passing
        self._is_in_own, self._is_passing = self._is_in_own or is_own, self._is_passing and term.lets_pass
        passes = self.of_record(self._record_of(term), term.value, path)
        self._is_in_own, self._is_passing = before
        return "include" if is_own else passes

    def _note_addresses(self, term: Term) -> None:
        if term.name in ("ip4", "ip6") and len(self.reading.networks) < MAX_NETWORKS:
            self.reading.networks.append(ip_network(term.value, strict=False))
        elif term.name not in ("include", "redirect") or term.has_macro:
            self.reading.is_listed = False

    def _record_of(self, term: Term) -> str:
        answer = self._ask(term.value, "TXT")
        if isinstance(answer, Unanswered):
            raise Stop(f"{term.value} could not be looked up: {answer.reason}.", is_unknown=True)
        if isinstance(answer, Found) and (answer.is_cut or spf.spf_records(answer.too_long)):
            raise Stop(f"The TXT records at {term.value} are too long to be checked.", is_unknown=True)
        records = spf.spf_records(answer.values) if isinstance(answer, Found) else ()
        if len(records) != 1:
            count = "several SPF records" if records else "no SPF record"
            raise Stop(f"“{term.text[:60]}”: {term.value} has {count}, so receivers treat this as an error.")
        return records[0]

    def _count_void(self, term: Term, name: str) -> None:
        answer = self._ask(term.value or name, _TYPES[term.name])
        if isinstance(answer, Unanswered):
            raise Stop(
                f"{term.value or name} could not be looked up: {answer.reason}.",
                is_unknown=True,
            )
        if not isinstance(answer, Found):
            self._voids += 1
            if self._voids > MAX_VOIDS:
                raise Stop(TOO_MANY_VOIDS)
        elif term.name == "mx" and len(answer.values) > MAX_EXCHANGES:
            raise Stop(f"“{term.text[:60]}” has more than {MAX_EXCHANGES} mail servers, which is an error.")
