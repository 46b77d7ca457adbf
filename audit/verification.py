"""Checks chains of events, whose links come one by one from the database or from an export."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from audit import chain
from web.logs import one_line

# A line of what verify_audit prints: domain ("-" for none), number and digest of the last event, name.
NOTED = re.compile(r"(?P<domain>\d+|-)\t(?P<number>\d+)\t(?P<digest>[0-9a-f]{64})(?:\t(?P<name>.*))?")


class Head(NamedTuple):
    """The end of a chain: number and digest of its last event, and the name of its domain."""

    number: int
    digest: str
    name: str = ""


@dataclass
class _Chain:
    name: str
    number: int = 0
    digest: str = ""
    is_noted: bool = False  # whether the event that was noted elsewhere has come
    fault: str = ""
    begins_with: int = 1


class Check:
    """A run over chains of events: `look` at one link after the other, then ask for `faults` and `heads`.

    It keeps one small record a chain. `noted` are ends of chains as they were before, by domain.
    """

    def __init__(self, key: bytes, noted: dict[int | None, Head] | None = None):
        self._key, self._noted = key, noted or {}
        self._chains: dict[int | None, _Chain] = {}
        self.events = 0

    def look(self, link: dict):
        """Check one event as `chain.told` has it, with `id` and `digest`; each chain in its order.

        With `previous`, the digest of the one before, the first may be any of its chain.
        """
        self.events += 1
        one = self._chains.get(link["domain_id"])
        if one is None:
            one = self._chains[link["domain_id"]] = _Chain(link["domain_name"])
            if "previous" in link:
                one.number, one.digest = link["number"] - 1, link["previous"]
                one.begins_with = link["number"]
        if one.fault:
            return
        one.fault = self._fault(one, link)
        one.number, one.digest = link["number"], link["digest"]

    def _fault(self, one: _Chain, link: dict) -> str:
        number, due = link["number"], one.number + 1
        this = f"number {number} (event {link['id']})"
        if type(number) is not int:
            return f"{this} has no number"
        if number > due:
            return f"number {due} is missing: {this} follows {one.number}"
        if number < due:
            return f"{this} follows {one.number}: out of order, or twice"
        if link.get("previous", one.digest) != one.digest:
            return f"{this} names another event before it"
        if chain.digest(self._key, one.digest, link) != link["digest"]:
            return f"{this} was changed, or is not in its place"
        noted = self._noted.get(link["domain_id"])
        if noted and noted.number == number:
            one.is_noted = True
            if noted.digest != link["digest"]:
                return f"{this} is another one than was noted: the chain was written anew"
        return ""

    def faults(self) -> Iterator[str]:
        """A line for each chain that is broken: which, and where first."""
        for domain, one in self._chains.items():
            if one.fault:
                yield f"{_named(domain, one.name)}: {one.fault}"
        for domain, noted in self._noted.items():
            one = self._chains.get(domain)
            if one is None:
                yield f"{_named(domain, noted.name)}: all its events are gone; {noted.number} were noted"
            elif not one.fault and not one.is_noted:
                said = "begins after" if one.number > noted.number else f"ends with number {one.number}, before"
                yield f"{_named(domain, one.name)}: {said} number {noted.number}, which was noted"

    def heads(self) -> Iterator[str]:
        """A line for each chain that is whole, to be noted elsewhere: `noted_heads` reads it."""
        for domain, one in self._chains.items():
            if not one.fault:
                yield f"{'-' if domain is None else domain}\t{one.number}\t{one.digest}\t{one_line(one.name)}"

    def notes(self) -> Iterator[str]:
        """A line for each chain whose beginning has not come, as in an export that began later."""
        for domain, one in self._chains.items():
            if one.begins_with != 1:
                yield f"Note: {_named(domain, one.name)} begins with number {one.begins_with} here."


def noted_heads(lines: Iterable[str]) -> dict[int | None, Head]:
    """The ends of chains that were noted: from lines of `Check.heads`; others are passed over."""
    found = filter(None, (NOTED.fullmatch(line.rstrip("\r\n")) for line in lines))
    return {
        None if line["domain"] == "-" else int(line["domain"]): Head(
            int(line["number"]), line["digest"], line["name"] or ""
        )
        for line in found
    }


def _named(domain, name) -> str:
    return "Events without a domain" if domain is None else f"{one_line(name)} (domain {domain})"
