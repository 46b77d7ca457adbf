"""DNS queries. An answer is Found, Absent or Unanswered, and only the first two say anything.

Queries go only to the resolvers that the operator configured, never to an address that a domain's owner could
choose, and end within LIFETIME_SECONDS.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import islice
from math import inf
from time import monotonic
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
from django.conf import settings

LIFETIME_SECONDS = 5
CHECK_SECONDS = 10  # for all questions of a check together
TRY_SECONDS = 2  # for one server; a silent one is asked again after the others
EDNS_PAYLOAD = 1232  # bytes that are never fragmented (DNS flag day 2020); longer answers come by TCP
# A response may have 64 KB. A DKIM key of 4096 bits has 800 characters, the longest SPF records of real
# domains some 2,000, and the most TXT values at one name are a hundred or two.
MAX_VALUE = 4096  # characters
MAX_VALUES = 500
PORT = 53
LATE = "the DNS resolver did not answer in time"
SOMETHING_ELSE = "the DNS resolver answered with something else"


@dataclass(frozen=True)
class Found:
    """The values of a type at a name, as text; `via` is the name that a CNAME there leads to.

    `dname` is the name above it whose DNAME record led there. `too_long` holds the beginnings of values that
    were not read to the end; `is_cut` means that there are more than MAX_VALUES.
    """

    values: tuple[str, ...]
    via: str = ""
    dname: str = ""
    too_long: tuple[str, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True)
class Absent:
    """There is no such name, or no value of this type; `via` and `dname` as in Found.

    `zone` is the zone that the answer is of, if the resolver says so (RFC 2308 section 3); `is_nowhere` means
    that no type has a value there.
    """

    via: str = ""
    dname: str = ""
    zone: str = field(default="", compare=False)
    is_nowhere: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Unanswered:
    """No server could answer; `reason` completes a sentence."""

    reason: str


Answer = Found | Absent | Unanswered


class Unusable(dns.exception.FormError):
    """A response that is no answer; str() is the reason, which completes a sentence."""


# What servers and firewalls of old answer to EDNS, when they answer at all.
NO_EDNS = (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS)


class Server(dns.nameserver.Do53Nameserver):
    """A recursive resolver. Its unusable responses are errors, so that the next server is asked.

    One that does not take EDNS is asked without it (RFC 6891 section 7), from then on.
    """

    def __init__(self, address: str, port: int = PORT):
        super().__init__(address, port)
        self._takes_edns = True

    def query(self, request: dns.message.QueryMessage, *arguments: Any, **options: Any) -> dns.message.Message:
        if not self._takes_edns:
            request = _without_edns(request)
        try:
            response = super().query(request, *arguments, **options)
            if response.rcode() in NO_EDNS and self._takes_edns:
                self._takes_edns = False
                response = super().query(_without_edns(request), *arguments, **options)
        except dns.exception.Timeout:
            self._takes_edns = False  # it may have dropped the query for it; the next attempt shows
            raise
        if response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            if not response.flags & (dns.flags.AA | dns.flags.RA):
                raise Unusable("the DNS resolver doesn't look up names for this server")
            if response.answer and all(rrset.name != request.question[0].name for rrset in response.answer):
                raise Unusable(SOMETHING_ELSE)
        return response


def _without_edns(request: dns.message.QueryMessage) -> dns.message.QueryMessage:
    """Return the same question as a new message."""
    question = request.question[0]
    return dns.message.make_query(question.name, question.rdtype, question.rdclass)


def parse_server(text: str) -> Server:
    """Return the resolver written as IP, IP:port or [IPv6]:port. Raises ValueError."""
    match = re.fullmatch(r"\[([^]]+)\](?::([0-9]{1,5}))?|([^:]+):([0-9]{1,5})|(.+)", text.strip())
    if not match:
        raise ValueError(text)
    ip = ip_address(match[1] or match[3] or match[5])
    port = int(match[2] or match[4] or PORT)
    if not 0 < port < 65536:
        raise ValueError(text)
    return Server(str(ip), port)


def configured_servers() -> list[Server]:
    """Return the operator's resolvers, or the system's; none when the system has none."""
    if settings.DNS_RESOLVERS:
        return [parse_server(text) for text in settings.DNS_RESOLVERS]
    with suppress(dns.resolver.NoResolverConfiguration, OSError):
        return [Server(str(ip)) for ip in dns.resolver.Resolver().nameservers]
    return []


class Resolver:
    """Asks recursive resolvers, one after the other until one answers. It caches nothing."""

    def __init__(self, servers: Iterable[Server] | None = None, deadline: float = inf):
        self._servers = list(configured_servers() if servers is None else servers)
        self._deadline = deadline  # of time.monotonic()

    def each(self) -> list["Resolver"]:
        """Return a resolver for each server, to compare what they say: one may lie or lag."""
        return [Resolver([server], self._deadline) for server in self._servers] or [self]

    def for_check(self) -> "Resolver":
        """Return one that answers nothing after CHECK_SECONDS."""
        return Resolver(self._servers, monotonic() + CHECK_SECONDS)

    def ask(self, name: str, kind: str) -> Answer:
        """Return the first usable answer. `kind` is the type of record, as in `_text`."""
        remaining = self._deadline - monotonic()
        if remaining <= 0:
            return Unanswered(LATE)
        resolver = dns.resolver.Resolver(configure=False)  # without a cache
        resolver.nameservers = self._servers
        resolver.timeout, resolver.lifetime = TRY_SECONDS, min(LIFETIME_SECONDS, remaining)
        resolver.use_edns(0, payload=EDNS_PAYLOAD)
        try:
            qname = dns.name.from_text(name)
            answer = resolver.resolve(qname, kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN as absent:
            return _absent(absent.response(qname), qname, _via(qname, absent.canonical_name))
        except dns.resolver.LifetimeTimeout:
            return Unanswered(LATE)
        except dns.resolver.NoNameservers as failure:
            return Unanswered(_reason(failure.kwargs["errors"]))
        except (dns.name.LabelTooLong, dns.name.NameTooLong):
            return Unanswered("this name is too long for the DNS")
        except dns.exception.DNSException:
            return Unanswered(SOMETHING_ELSE)
        via = _via(qname, answer.canonical_name)
        if not answer.rrset:
            return _absent(answer.response, qname, via)
        return _found(answer.rrset, via, _dname(answer.response, qname))


def _reason(errors: list[Any]) -> str:
    """Explain the last server's failure: its error, or the text of its RCODE."""
    error = errors[-1][3] if errors else Unusable("this server knows no DNS resolver")
    match error:
        case str():
            return f"the DNS resolver answered {error}"
        case Unusable():
            return str(error)
        case dns.message.ChainTooLong():
            return "its CNAME records form a loop or a chain that is too long"
        case OSError() | EOFError():
            return "the DNS resolver can't be reached"
    return SOMETHING_ELSE


def _absent(response: dns.message.Message, qname: dns.name.Name, via: str) -> Absent:
    zones = (rrset.name for rrset in response.authority if rrset.rdtype == dns.rdatatype.SOA)
    zone = next((zone for zone in zones if qname.is_subdomain(zone)), None)
    shown = zone.to_text(omit_final_dot=True).lower() if zone else ""
    return Absent(via, _dname(response, qname), shown, response.rcode() == dns.rcode.NXDOMAIN)


def _dname(response: dns.message.Message, qname: dns.name.Name) -> str:
    """Return the name above the question's that has a DNAME record, as the answer says it (RFC 6672)."""
    names = (rrset.name for rrset in response.answer if rrset.rdtype == dns.rdatatype.DNAME)
    name = next((name for name in names if qname.is_subdomain(name)), None)
    return name.to_text(omit_final_dot=True) if name else ""


def _found(rdatas: dns.rrset.RRset, via: str, dname: str = "") -> Found:
    values: list[str] = []
    too_long: list[str] = []
    for rdata in islice(rdatas, MAX_VALUES):
        text = _text(rdata)
        (values if len(text) <= MAX_VALUE else too_long).append(text[:MAX_VALUE])
    return Found(tuple(values), via, dname, tuple(too_long), is_cut=len(rdatas) > MAX_VALUES)


def _text(rdata: Any) -> str:
    if rdata.rdtype == dns.rdatatype.TXT:
        # Joined without spaces: RFC 7208 section 3.3.
        return _printable(b"".join(rdata.strings)[: MAX_VALUE + 1])
    if rdata.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
        return rdata.address
    name = {dns.rdatatype.CNAME: "target", dns.rdatatype.MX: "exchange", dns.rdatatype.SOA: "mname"}
    return getattr(rdata, name[rdata.rdtype]).to_text(omit_final_dot=True)


def _via(name: dns.name.Name, canonical_name: dns.name.Name) -> str:
    return "" if canonical_name == name else canonical_name.to_text(omit_final_dot=True)


def _printable(value: bytes) -> str:
    r"""Return a value as `dig` shows it, with \DDD for other bytes than printable ASCII (RFC 1035, 5.1)."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03}" for byte in value)
