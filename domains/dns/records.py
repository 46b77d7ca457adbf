"""The DNS records that a domain needs, and the results that a check can have."""

from dataclasses import dataclass
from enum import StrEnum

from domains.dns.hosts import is_host, relative

TTL = 3600
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
class Names:
    """A domain's name, its registered name, and the zone that its records are in, as far as is known."""

    name: str
    organizational: str
    zone: str

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones that its owner may edit, by right or by mistake."""
        return tuple(dict.fromkeys((self.zone, self.name, self.organizational)))


@dataclass(frozen=True)
class Record:
    """A record that is expected in a domain's DNS."""

    kind: Kind
    type: str
    host: str
    value: str
    names: Names
    required: bool = False
    include: str = ""  # of SPF
    ttl: int = TTL

    @property
    def label(self) -> str:
        """The hostname as it is entered where the zone is edited."""
        return relative(self.host, self.names.zone)


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
    if not (colon and is_host(label) and is_host(target) and "." in target):
        raise ValueError(setting)
    return label.lower(), target


def expected(name: str, token: str, operator: Operator, *, organizational: str, zone: str = "") -> list[Record]:
    """Return the records of a domain, the required one first.

    `organizational` is its registered name; `zone` the zone that it was found to be in, "" when not known.
    """
    names = Names(name, organizational, zone or organizational)
    proof = PROOF_PREFIX + token
    records = [Record(Kind.OWNERSHIP, "TXT", f"_sendlayer.{name}", proof, names, required=True)]
    if include := operator.spf_include:
        value = f"v=spf1 include:{include} ~all"
        records.append(Record(Kind.SPF, "TXT", name, value, names, include=include))
    if operator.dkim_cname:
        selector, target = parse_cname(operator.dkim_cname)
        records.append(Record(Kind.DKIM, "CNAME", f"{selector}._domainkey.{name}", target, names))
    if operator.return_path_cname:
        label, target = parse_cname(operator.return_path_cname)
        records.append(Record(Kind.RETURN_PATH, "CNAME", f"{label}.{name}", target, names))
    records.append(Record(Kind.DMARC, "TXT", f"_dmarc.{name}", "v=DMARC1; p=none;", names))
    return records
