"""What an answer of the DNS says about an expected record: a status, and a sentence that helps.

The sentences say only what the answers show. Where removing something could take a site or another service
down, they say on what that depends.
"""

from dataclasses import replace

from domains.dns import dmarc, spf, spf_judging
from domains.dns.hosts import is_within, misplaced, relative
from domains.dns.lookups import Lookups
from domains.dns.records import PROOF_PREFIX, Judgement, Kind, Record, Status
from domains.dns.resolver import MAX_VALUE, MAX_VALUES, Absent, Answer, Found, Unanswered

VALUE_TOO_LONG = f"This could not be checked: the record has more than {MAX_VALUE:,} characters."
TOO_MANY_VALUES = f"This could not be checked: there are more than {MAX_VALUES} TXT records at this hostname."
ADDRESSES = ("A", "AAAA")
OTHER_VALUES = "There are other TXT records at this hostname. Add this one to them."
BESIDE_WILDCARD = (
    "What is found here seems to come from a wildcard record (*): leave that, and just add this one."
)
PERHAPS_PROXIED = "If you've added it already, switch off your DNS provider's proxy for this hostname."
PERHAPS_WILDCARD = "If it comes from a wildcard record (*), leave that, and just add this record."
NOT_A_CNAME = (
    "There are address records at this hostname, but no CNAME. If your DNS provider proxies it, as Cloudflare "
    "does, switch the proxy off for this hostname. Otherwise replace those records, if nothing else uses them.",
    "There is a TXT record at this hostname, and a CNAME can't be added beside it. "
    "Replace it, if nothing else uses it.",
)
OWN_RECORD = "It seems to come from a wildcard record (*): leave that, and add one for this hostname."


def judge(record: Record, answer: Answer, lookups: Lookups) -> Judgement:
    """Judge a record by the answer for its host; `lookups` says what else there is."""
    if isinstance(answer, Unanswered):
        return Judgement(Status.UNKNOWN, f"This could not be checked: {answer.reason}. Nothing was changed.")
    judged = _judge_cname(record, answer) if record.type == "CNAME" else _judge_txt(record, answer, lookups)
    if record.kind is Kind.DMARC and judged.status is Status.MISSING:
        judged = _registered_dmarc(record, lookups) or judged
    if judged.status in (Status.VERIFIED, Status.UNKNOWN):
        return judged
    judged = (
        _misplaced(record, judged, lookups)
        or _diverted(record, answer, judged, lookups)
        or _instead_of_cname(record, answer, lookups)
        or judged
    )
    if warning := _covered(record, lookups):
        return replace(judged, message=f"{judged.message} {warning}")
    return judged


def _judge_txt(record: Record, answer: Found | Absent, lookups: Lookups) -> Judgement:
    """Judge the values that were read, unless one that wasn't could change the result."""
    if isinstance(answer, Absent):
        judged = Judgement(Status.MISSING, "There is no TXT record at this hostname.")
        if record.kind is Kind.SPF and not answer.via:
            return spf_judging.judge(record, (), lookups.ask)
        return judged
    if record.kind is Kind.OWNERSHIP:
        judged = _judge_ownership(record, answer.values)
        if judged.status is Status.VERIFIED:
            return judged  # other values don't matter
    if answer.is_cut:
        return Judgement(Status.UNKNOWN, f"{TOO_MANY_VALUES} Remove any that aren't needed, then verify again.")
    if found := _FINDERS[record.kind](answer.too_long):
        message = f"{VALUE_TOO_LONG} Shorten it, then verify again."
        return Judgement(Status.UNKNOWN, message, found)
    match record.kind:
        case Kind.SPF:
            return spf_judging.judge(record, answer.values, lookups.ask)
        case Kind.DMARC:
            return _judge_dmarc(answer.values)
    return judged


def _judge_ownership(record: Record, values: tuple[str, ...]) -> Judgement:
    stripped = [value.strip() for value in values]
    if record.value in stripped:
        return Judgement(Status.VERIFIED, found=(record.value,))
    ours = tuple(value for value in stripped if PROOF_PREFIX in value.lower())
    if any(value.strip("\"'\\ ") == record.value for value in ours):
        message = "The value contains quotation marks. Enter it without them."
    elif ours:
        message = "This value is from another account or an earlier attempt. Replace it with the expected one."
    elif record.value.removeprefix(PROOF_PREFIX) in stripped:
        ours = (record.value.removeprefix(PROOF_PREFIX),)
        message = f"The beginning of the value is missing. It must start with {PROOF_PREFIX}"
    else:
        return Judgement(Status.WRONG, OTHER_VALUES, tuple(values))
    return Judgement(Status.WRONG, message, ours)


def _judge_dmarc(values: tuple[str, ...]) -> Judgement:
    found = dmarc.dmarc_records(values)
    if len(found) > 1:
        message = f"There are {len(found)} DMARC records, so none of them counts. Keep one."
        return Judgement(Status.WRONG, message, found)
    if found:
        problem = dmarc.problem(found[0])
        if not problem:
            return Judgement(Status.VERIFIED, found=found)
        return Judgement(Status.WRONG, problem, found, dmarc.mended(found[0]))
    if lookalikes := dmarc.lookalikes(values):
        message = "Receivers ignore this record: it has to begin with v=DMARC1; in exactly these letters."
        suggested = dmarc.mended(lookalikes[0]) if len(lookalikes) == 1 else ""
        return Judgement(Status.WRONG, message, lookalikes, suggested)
    return Judgement(Status.MISSING, "The domain has no DMARC record yet. This one asks for nothing.")


# The values that could be a record of a kind; an ownership record is never too long.
_FINDERS = {
    Kind.SPF: spf.spf_records,
    Kind.DMARC: dmarc.dmarc_records,
    Kind.OWNERSHIP: lambda _values: (),
}


def _judge_cname(record: Record, answer: Found | Absent) -> Judgement:
    if isinstance(answer, Absent):
        return Judgement(Status.MISSING, "There is no CNAME record at this hostname.")
    target = answer.values[0].rstrip(".").lower()
    if target == record.value:
        return Judgement(Status.VERIFIED, found=(target,))
    message = "It points elsewhere. Replace the target with the expected one."
    if target.startswith(f"{record.value}."):
        message = "Your DNS provider added the domain to the target. Enter it with a dot at the end."
    return Judgement(Status.WRONG, message, (target,))


def _registered_dmarc(record: Record, lookups: Lookups) -> Judgement | None:
    """Judge by the registered domain's record, which applies to names without one (RFC 7489 section 6.6.3)."""
    host = f"_dmarc.{record.names.organizational}"
    if host == record.host:
        return None
    answer = lookups.ask(host, "TXT")
    if not isinstance(answer, Found):
        return None
    judged = _judge_txt(record, answer, lookups)
    if judged.status is Status.VERIFIED:
        return Judgement(Status.VERIFIED, f"The one at {host} applies to this domain too.", judged.found)
    return judged if judged.status is Status.UNKNOWN else None


def _misplaced(record: Record, judged: Judgement, lookups: Lookups) -> Judgement | None:
    """Judge a record that is where its provider, or its owner, put it by mistake."""
    if record.kind in (Kind.SPF, Kind.DMARC) and judged.status is not Status.MISSING:
        return None
    for place, zone in _places(record).items():
        if not _is_at(record, lookups.ask(place, record.type)):
            continue
        message = f"The record is at {place}. "
        if place in record.names.zones:
            message += f"Enter {record.label} as its hostname."
        elif record.type == "CNAME" and not place.startswith(record.host):
            message = f"The one at {place} is not for this hostname. Add one: enter {record.label}."
        elif is_within(zone, record.names.zone):
            label = relative(record.host, zone)
            message += f"It looks like your DNS provider adds .{zone} to what you enter: enter only {label}."
        else:
            message += f"Enter it in the zone {record.names.zone}, as {record.label}."
        return Judgement(Status.WRONG, message, (place,))
    return None


def _places(record: Record) -> dict[str, str]:
    """Return other hostnames where a record may be, each with the zone that it would be entered in."""
    names = record.names
    places = misplaced(record.host, names.zones)
    if record.kind is Kind.OWNERSHIP:
        return places | {zone: zone for zone in names.zones}
    if record.kind is Kind.DMARC:
        places |= {names.name: names.zone}
    others = {f"_dmarc.{zone}" for zone in names.zones} | ({*names.zones} - {names.name})
    return {place: zone for place, zone in places.items() if place not in others and place != record.host}


def _is_at(record: Record, answer: Answer) -> bool:
    """Whether an answer for another hostname has the record."""
    if not isinstance(answer, Found):
        return False
    match record.kind:
        case Kind.OWNERSHIP:
            return _judge_ownership(record, answer.values).status is Status.VERIFIED
        case Kind.SPF:
            include = f"include:{record.include}".lower()
            return any(include in value.lower().split() for value in spf.spf_records(answer.values))
        case Kind.DMARC:
            return bool(dmarc.dmarc_records(answer.values))
    return _judge_cname(record, answer).status is Status.VERIFIED


def _diverted(record: Record, answer: Found | Absent, judged: Judgement, lookups: Lookups) -> Judgement | None:
    """Explain a wildcard, DNAME or CNAME record that answers for the hostname."""
    target = answer.via or (answer.values[0] if record.type == "CNAME" and isinstance(answer, Found) else "")
    found = (f"CNAME {target}",) if target else judged.found
    if answer.dname:
        message = f"A DNAME record at {answer.dname} leads from here to {target}. Add this record there."
        return Judgement(Status.WRONG, message, (f"DNAME {answer.dname}",))
    if not target and isinstance(answer, Absent):
        return None
    is_wildcard = _comes_from_wildcard(record, record.type, lookups)
    if is_wildcard and judged.suggested and not target:
        return replace(judged, message=f"{judged.message} {OWN_RECORD}")
    if is_wildcard:
        return Judgement(Status.MISSING, BESIDE_WILDCARD, found)
    perhaps = f" {PERHAPS_WILDCARD}" if is_wildcard is None else ""
    if not answer.via:
        return replace(judged, message=judged.message + perhaps)
    message = f"A CNAME record points from this hostname to {target}, so no other record here counts.{perhaps} "
    if record.host == record.names.name:
        message += (
            f"Add this record at {target}, if that is yours. Otherwise first replace the CNAME by address "
            "records: removing it alone takes down what uses this name."
        )
    else:
        message += (
            f"Add this record at {target}, if that is yours, or replace the CNAME, if nothing else uses it."
        )
    return Judgement(Status.WRONG, message, found)


def _comes_from_wildcard(record: Record, type: str, lookups: Lookups) -> bool | None:
    if record.host in (record.names.zone, record.names.organizational):
        return False  # above it is no zone of the same owner
    return lookups.is_from_wildcard(record.host, type)


def _instead_of_cname(record: Record, answer: Found | Absent, lookups: Lookups) -> Judgement | None:
    """Explain the records that are at a hostname instead of a CNAME."""
    if record.type != "CNAME" or isinstance(answer, Found) or answer.is_nowhere:
        return None
    if record.kind is Kind.DKIM and (key := _flattened_key(record, lookups)):
        message = (
            f"It has the key of {record.value}, but not as a CNAME, so it may not follow when that changes."
        )
        return Judgement(Status.VERIFIED, message, key)
    for type in (*ADDRESSES, "TXT"):
        there = lookups.ask(record.host, type)
        if isinstance(there, Found):
            is_wildcard = _comes_from_wildcard(record, type, lookups)
            if is_wildcard:
                message = BESIDE_WILDCARD if type == "TXT" else f"{BESIDE_WILDCARD} {PERHAPS_PROXIED}"
                return Judgement(Status.MISSING, message, there.values)
            return Judgement(Status.WRONG, NOT_A_CNAME[type == "TXT"], there.values)
    return None


def _flattened_key(record: Record, lookups: Lookups) -> tuple[str, ...]:
    """Return the TXT values that a DNS provider put where the CNAME was entered, if they are its target's."""
    here, there = lookups.ask(record.host, "TXT"), lookups.ask(record.value, "TXT")
    if isinstance(here, Found) and isinstance(there, Found) and set(here.values) == set(there.values):
        return here.values
    return ()


def _covered(record: Record, lookups: Lookups) -> str:
    """Warn when the proof would take a wildcard's addresses from the domain's name.

    A wildcard doesn't apply to a name that has records, or names with records below it (RFC 4592, 2.2.2).
    """
    name = record.names.name
    if record.kind is not Kind.OWNERSHIP or name in (record.names.zone, record.names.organizational):
        return ""
    if not any(
        isinstance(lookups.ask(name, type), Found) and lookups.is_from_wildcard(name, type)
        for type in ADDRESSES
    ):
        return ""
    return (
        f"{name} seems to get its address from a wildcard record (*), which won't cover it any more once this "
        f"record is added: if a site or server uses {name}, first give it address records (A, AAAA) of its own."
    )
