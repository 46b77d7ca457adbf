"""The DNS records that a domain needs, and what an answer of the DNS says about each.

Pure: names, settings and answers come in, judgements go out. domains/dns/spf_dmarc.py reads SPF and DMARC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domains.dns import spf_dmarc
from domains.dns.resolver import MAX_VALUE, MAX_VALUES, Absent, Answer, Found, Unanswered

TTL = 3600
VALUE_TOO_LONG = f"This could not be checked: the record has more than {MAX_VALUE:,} characters."
TOO_MANY_VALUES = f"This could not be checked: there are more than {MAX_VALUES} TXT records at this hostname."
PROOF_PREFIX = "sendlayer-verification="


class Kind(StrEnum):
    OWNERSHIP = "ownership"
    SPF = "spf"
    DKIM = "dkim"
    RETURN_PATH = "return_path"
    DMARC = "dmarc"


class Status(StrEnum):
    """What the last check found. UNKNOWN: it could not be checked."""

    VERIFIED = "verified"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Record:
    """A record that is expected in a domain's DNS.

    `elsewhere` are hostnames where it may be instead: by mistake, or for DMARC, the registered domain's,
    whose record then applies to this one too (RFC 7489 section 6.6.3).
    """

    kind: Kind
    type: str
    host: str
    value: str
    required: bool = False
    elsewhere: tuple[str, ...] = ()
    include: str = ""  # of SPF
    ttl: int = TTL

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hostnames to look up."""
        return (self.host, *self.elsewhere)


@dataclass(frozen=True)
class Judgement:
    """A status with what was `found`, a `message` that helps, and a `suggested` value that would be right."""

    status: Status
    message: str = ""
    found: tuple[str, ...] = ()
    suggested: str = ""


@dataclass(frozen=True)
class Operator:
    """What the operator expects in every domain's DNS; "" for nothing."""

    spf_include: str = ""
    dkim_cname: str = ""
    return_path_cname: str = ""


def parse_cname(setting: str) -> tuple[str, str]:
    """Return (label, target) of a setting like `sl1:sl1.dkim.example.net`. Raises ValueError."""
    label, colon, target = setting.partition(":")
    target = target.rstrip(".").lower()
    if not (colon and spf_dmarc.is_host(label) and spf_dmarc.is_host(target) and "." in target):
        raise ValueError(setting)
    return label.lower(), target


def expected(name: str, token: str, operator: Operator, *, organizational: str) -> list[Record]:
    """Return the records of a domain, the required one first; `organizational` is its registered name."""
    proof, dmarc = f"_sendlayer.{name}", f"_dmarc.{name}"
    records = [
        Record(
            Kind.OWNERSHIP,
            "TXT",
            proof,
            PROOF_PREFIX + token,
            required=True,
            elsewhere=(f"{proof}.{name}", name),
        )
    ]
    if include := operator.spf_include:
        records.append(Record(Kind.SPF, "TXT", name, f"v=spf1 include:{include} ~all", include=include))
    if operator.dkim_cname:
        selector, target = parse_cname(operator.dkim_cname)
        records.append(Record(Kind.DKIM, "CNAME", f"{selector}._domainkey.{name}", target))
    if operator.return_path_cname:
        label, target = parse_cname(operator.return_path_cname)
        records.append(Record(Kind.RETURN_PATH, "CNAME", f"{label}.{name}", target))
    parent = () if organizational == name else (f"_dmarc.{organizational}",)
    records.append(Record(Kind.DMARC, "TXT", dmarc, "v=DMARC1; p=none;", elsewhere=parent))
    return records


def judge(record: Record, answer: Answer, elsewhere: Mapping[str, Answer] | None = None) -> Judgement:
    """Judge a record by the answer for its host, and those for the hosts where it may be instead."""
    match answer:
        case Unanswered(reason):
            return Judgement(Status.UNKNOWN, f"This could not be checked: {reason}. Nothing was changed.")
        case Found(values) if record.type == "CNAME":
            return _judge_cname(record, values)
        case Found():
            judged = _judge_txt(record, answer)
        case Absent():
            judged = Judgement(Status.MISSING, f"There is no {record.type} record at this hostname.")
    if judged.status in (Status.VERIFIED, Status.UNKNOWN):
        return judged
    if record.kind is Kind.DMARC and judged.status is Status.WRONG:
        return judged  # the registered domain's applies only where there is none
    return _judge_elsewhere(record, elsewhere or {}) or _hidden_by_cname(record, answer) or judged


def _judge_txt(record: Record, answer: Found) -> Judgement:
    """Judge the values that were read, unless one that wasn't could change the result."""
    judged = _JUDGES[record.kind](record, answer.values)
    if record.kind is Kind.OWNERSHIP and judged.status is Status.VERIFIED:
        return judged  # other values don't matter
    if answer.is_cut:
        return Judgement(Status.UNKNOWN, f"{TOO_MANY_VALUES} Remove any that aren't needed, then verify again.")
    if found := _FINDERS[record.kind](answer.too_long):
        message = f"{VALUE_TOO_LONG} Shorten it, then verify again."
        return Judgement(Status.UNKNOWN, message, found)
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
        return Judgement(
            Status.WRONG, "There are other TXT records at this hostname. Add this one to them.", tuple(values)
        )
    return Judgement(Status.WRONG, message, ours)


def _judge_spf(record: Record, values: tuple[str, ...]) -> Judgement:
    found = spf_dmarc.spf_records(values)
    if not found:
        return Judgement(Status.MISSING, "The domain has no SPF record yet. Add this one.")
    suggested = spf_dmarc.with_include(found, record.include)
    if len(found) > 1:
        message = f"There are {len(found)} SPF records, so none of them counts. Merge them into one."
        return Judgement(Status.WRONG, message, found, suggested)
    if spf_dmarc.includes(found[0], record.include):
        return Judgement(Status.VERIFIED, found=found)
    message = (
        f"Your SPF record has no include:{record.include}. Add it and keep the rest; don't add a second record."
    )
    return Judgement(Status.WRONG, message, found, suggested)


def _judge_dmarc(record: Record, values: tuple[str, ...]) -> Judgement:
    found = spf_dmarc.dmarc_records(values)
    if not found:
        return Judgement(Status.MISSING, "The domain has no DMARC record yet. This one asks for nothing.")
    if len(found) > 1:
        message = f"There are {len(found)} DMARC records, so none of them counts. Keep one."
        return Judgement(Status.WRONG, message, found)
    if spf_dmarc.is_valid_dmarc(found[0]):
        return Judgement(Status.VERIFIED, found=found)
    return Judgement(Status.WRONG, "It has no valid policy: p=none, p=quarantine or p=reject.", found)


# The values that could be a record of a kind; an ownership record is never too long.
_FINDERS = {
    Kind.SPF: spf_dmarc.spf_records,
    Kind.DMARC: spf_dmarc.dmarc_records,
    Kind.OWNERSHIP: lambda _values: (),
}
_JUDGES = {Kind.OWNERSHIP: _judge_ownership, Kind.SPF: _judge_spf, Kind.DMARC: _judge_dmarc}


def _judge_cname(record: Record, values: tuple[str, ...]) -> Judgement:
    target = values[0].rstrip(".").lower()
    if target == record.value:
        return Judgement(Status.VERIFIED, found=(target,))
    message = "It points elsewhere. Replace the target with the expected one."
    if target.startswith(f"{record.value}."):
        message = "Your DNS provider added the domain to the target. Enter it with a dot at the end."
    return Judgement(Status.WRONG, message, (target,))


def _judge_elsewhere(record: Record, elsewhere: Mapping[str, Answer]) -> Judgement | None:
    for host, answer in elsewhere.items():
        if not isinstance(answer, Found):
            continue
        judged = _judge_txt(record, answer)
        if record.kind is Kind.DMARC and judged.status is Status.UNKNOWN:
            return judged  # the registered domain's record may apply to this one, or not
        if judged.status is not Status.VERIFIED:
            continue
        if record.kind is Kind.DMARC:
            return Judgement(Status.VERIFIED, f"The one at {host} applies to this domain too.", judged.found)
        label = record.host.partition(".")[0]
        message = f"The record is at {host}. Most DNS providers add the domain: enter only {label}."
        return Judgement(Status.WRONG, message, (host,))
    return None


def _hidden_by_cname(record: Record, answer: Found | Absent) -> Judgement | None:
    if not answer.via:
        return None
    message = (
        f"A CNAME record points from this hostname to {answer.via}, so no other record here counts. "
        "Remove the CNAME, and add this record."
    )
    return Judgement(Status.WRONG, message, (f"CNAME {answer.via}",))
