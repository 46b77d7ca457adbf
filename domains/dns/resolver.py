"""DNS queries. An answer is Found, Absent or Unanswered, and only the first two say anything.

Queries go only to the resolvers that the operator configured, never to an address that a domain's owner could
choose, and end within LIFETIME_SECONDS.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice
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
TRY_SECONDS = 2  # for one server; a silent one is asked again after the others
EDNS_PAYLOAD = 1232  # bytes that are never fragmented (DNS flag day 2020); longer answers come by TCP
# A response may have 64 KB. A DKIM key of 4096 bits has 800 characters, the longest SPF records of real
# domains some 2,000, and the most TXT values at one name are a hundred or two.
MAX_VALUE = 4096  # characters
MAX_VALUES = 500
PORT = 53
SOMETHING_ELSE = "the DNS resolver answered with something else"


@dataclass(frozen=True)
class Found:
    """The values of a type at a name, as text; `via` is the name that a CNAME there leads to.

    `too_long` holds the beginnings of values that were not read to the end; `is_cut` means that there are more
    than MAX_VALUES.
    """

    values: tuple[str, ...]
    via: str = ""
    too_long: tuple[str, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True)
class Absent:
    """There is no such name, or no value of this type; `via` as in Found."""

    via: str = ""


@dataclass(frozen=True)
class Unanswered:
    """No server could answer; `reason` completes a sentence."""

    reason: str


Answer = Found | Absent | Unanswered


class Unusable(dns.exception.FormError):
    """A response that is no answer; str() is the reason, which completes a sentence."""


class Server(dns.nameserver.Do53Nameserver):
    """A recursive resolver. Its unusable responses are errors, so that the next server is asked."""

    def query(self, request: dns.message.QueryMessage, *arguments: Any, **options: Any) -> dns.message.Message:
        response = super().query(request, *arguments, **options)
        if response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            if not response.flags & (dns.flags.AA | dns.flags.RA):
                raise Unusable("the DNS resolver doesn't look up names for this server")
            if response.answer and all(rrset.name != request.question[0].name for rrset in response.answer):
                raise Unusable(SOMETHING_ELSE)
        return response


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

    def __init__(self, servers: Iterable[Server] | None = None):
        self._servers = list(configured_servers() if servers is None else servers)

    def each(self) -> list["Resolver"]:
        """Return a resolver for each server, to compare what they say: one may lie or lag."""
        return [Resolver([server]) for server in self._servers] or [self]

    def ask(self, name: str, kind: str) -> Answer:
        """Return the first usable answer. `kind` is "TXT" or "CNAME"."""
        resolver = dns.resolver.Resolver(configure=False)  # without a cache
        resolver.nameservers = self._servers
        resolver.timeout, resolver.lifetime = TRY_SECONDS, LIFETIME_SECONDS
        resolver.use_edns(0, payload=EDNS_PAYLOAD)
        try:
            qname = dns.name.from_text(name)
            answer = resolver.resolve(qname, kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN as absent:
            return Absent(_via(qname, absent.canonical_name))
        except dns.resolver.LifetimeTimeout:
            return Unanswered("the DNS resolver did not answer in time")
        except dns.resolver.NoNameservers as failure:
            return Unanswered(_reason(failure.kwargs["errors"]))
        except (dns.name.LabelTooLong, dns.name.NameTooLong):
            return Unanswered("this name is too long for the DNS")
        except dns.exception.DNSException:
            return Unanswered(SOMETHING_ELSE)
        via = _via(qname, answer.canonical_name)
        return _found(answer.rrset, via) if answer.rrset else Absent(via)


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


def _found(rdatas: dns.rrset.RRset, via: str) -> Found:
    values: list[str] = []
    too_long: list[str] = []
    for rdata in islice(rdatas, MAX_VALUES):
        text = _text(rdata)
        (values if len(text) <= MAX_VALUE else too_long).append(text[:MAX_VALUE])
    return Found(tuple(values), via, tuple(too_long), is_cut=len(rdatas) > MAX_VALUES)


def _text(rdata: Any) -> str:
    if rdata.rdtype == dns.rdatatype.TXT:
        # Joined without spaces: RFC 7208 section 3.3.
        return _printable(b"".join(rdata.strings)[: MAX_VALUE + 1])
    return rdata.target.to_text(omit_final_dot=True)


def _via(name: dns.name.Name, canonical_name: dns.name.Name) -> str:
    return "" if canonical_name == name else canonical_name.to_text(omit_final_dot=True)


def _printable(value: bytes) -> str:
    r"""Return a value as `dig` shows it, with \DDD for other bytes than printable ASCII (RFC 1035, 5.1)."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03}" for byte in value)
