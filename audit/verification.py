"""Verifies chains of events, whose links come one by one from the database or from an export."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from audit import chain
from web.logs import one_line

# A line of what verify_audit prints: domain ("-" for none), number and digest of the last event, name.
NOTED = re.compile(r"(?P<domain>\d+|-)\t(?P<number>\d+)\t(?P<digest>[0-9a-f]{64})(?:\t(?P<name>.*))?")


class Head(NamedTuple):
    """The end of a chain: the number and digest of its last event, and the name of its domain."""

    number: int
    digest: str
    name: str = ""


@dataclass
class _Chain:
    name: str
    number: int = 0
    digest: str = ""
    is_noted: bool = False  # whether the event that was noted elsewhere was found
    fault: str = ""
    begins_with: int = 1


class Check:
    """A run over chains of events: `add` one link after another, then read `faults` and `heads`.

    It keeps one small record per chain. `noted` are ends of chains as they were before, by domain.
    """

    def __init__(self, key: bytes, noted: dict[int | None, Head] | None = None):
        self._key, self._noted = key, noted or {}
        self._chains: dict[int | None, _Chain] = {}
        self.events = 0

    def add(self, link: dict):
        """Check one event as `chain.content` returns it, with `id` and `digest`; each chain in its order.

        With `previous`, the previous event's digest, the first one may be any of its chain.
        """
        self.events += 1
        state = self._chains.get(link["domain_id"])
        if state is None:
            state = self._chains[link["domain_id"]] = _Chain(link["domain_name"])
            if "previous" in link:
                state.number, state.digest = link["number"] - 1, link["previous"]
                state.begins_with = link["number"]
        if state.fault:
            return
        state.fault = self._fault(state, link)
        state.number, state.digest = link["number"], link["digest"]

    def _fault(self, state: _Chain, link: dict) -> str:
        number, due = link["number"], state.number + 1
        this = f"number {number} (event {link['id']})"
        if type(number) is not int:
            return f"{this} has no number"
        if number > due:
            return f"number {due} is missing: {this} follows {state.number}"
        if number < due:
            return f"{this} follows {state.number}: out of order, or twice"
        if link.get("previous", state.digest) != state.digest:
            return f"{this} names another event before it"
        if chain.digest(self._key, state.digest, link) != link["digest"]:
            return f"{this} was changed or moved"
        noted = self._noted.get(link["domain_id"])
        if noted and noted.number == number:
            state.is_noted = True
            if noted.digest != link["digest"]:
                return f"{this} is not the one that was noted: the chain was written again"
        return ""

    def faults(self) -> Iterator[str]:
        """A line for each broken chain: which one, and its first broken event."""
        for domain, state in self._chains.items():
            if state.fault:
                yield f"{_named(domain, state.name)}: {state.fault}"
        for domain, noted in self._noted.items():
            state = self._chains.get(domain)
            if state is None:
                yield f"{_named(domain, noted.name)}: all its events are gone; {noted.number} were noted"
            elif not state.fault and not state.is_noted:
                problem = (
                    "begins after"
                    if state.number > noted.number
                    else f"ends with number {state.number}, before"
                )
                yield f"{_named(domain, state.name)}: {problem} number {noted.number}, which was noted"

    def heads(self) -> Iterator[str]:
        """A line for each intact chain, to be noted elsewhere: `noted_heads` reads it."""
        for domain, state in self._chains.items():
            if not state.fault:
                pk = "-" if domain is None else domain
                yield f"{pk}\t{state.number}\t{state.digest}\t{one_line(state.name)}"

    def notes(self) -> Iterator[str]:
        """A line for each chain whose beginning is missing, as in an export that began later."""
        for domain, state in self._chains.items():
            if state.begins_with != 1:
                yield f"Note: {_named(domain, state.name)} begins with number {state.begins_with} here."


def noted_heads(lines: Iterable[str]) -> dict[int | None, Head]:
    """The ends of chains that were noted, from lines of `Check.heads`; others are skipped."""
    found = filter(None, (NOTED.fullmatch(line.rstrip("\r\n")) for line in lines))
    return {
        None if line["domain"] == "-" else int(line["domain"]): Head(
            int(line["number"]), line["digest"], line["name"] or ""
        )
        for line in found
    }


def _named(domain, name) -> str:
    return "Events without a domain" if domain is None else f"{one_line(name)} (domain {domain})"
