"""Questions to the DNS. An answer is Found, Absent or Unanswered, and only the first two say anything.

Each question goes to the resolvers that the operator named, never to an address that a
domain's owner could choose, and is over within LIFETIME_SECONDS, whatever they do.
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
TRY_SECONDS = 2  # for one server; one that stays silent is asked again when the others were
EDNS_PAYLOAD = 1232  # DNS flag day 2020: never fragmented; longer answers come by TCP
# Of a response, which may have 64 KB: a DKIM key of 4096 bits has 800 characters, the longest SPF
# records of real domains some 2,000, and the most TXT values at one name are a hundred or two.
MAX_VALUE = 4096  # characters
MAX_VALUES = 500
PORT = 53
SOMETHING_ELSE = "the DNS resolver answered with something else"


@dataclass(frozen=True)
class Found:
    """The values of a type at a name, as text; `via` is the name that a CNAME there led to.

    Of those in `too_long` only the beginning was read; `is_cut`: there are more than MAX_VALUES.
    """

    values: tuple[str, ...]
    via: str = ""
    too_long: tuple[str, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True)
class Absent:
    """There is no such name, or nothing of this type at it; `via` as in Found."""

    via: str = ""


@dataclass(frozen=True)
class Unanswered:
    """Nobody could say; `reason` is why, as the end of a sentence."""

    reason: str


Answer = Found | Absent | Unanswered


class Unusable(dns.exception.FormError):
    """A response that answers nothing; str() is why, as the end of a sentence."""


class Server(dns.nameserver.Do53Nameserver):
    """A recursive resolver. Its unusable responses are errors, so that the next one is asked."""

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
    """The operator's resolvers, else the system's; none when there is nothing to go by."""
    if settings.DNS_RESOLVERS:
        return [parse_server(text) for text in settings.DNS_RESOLVERS]
    with suppress(dns.resolver.NoResolverConfiguration, OSError):
        return [Server(str(ip)) for ip in dns.resolver.Resolver().nameservers]
    return []


class Resolver:
    """Asks recursive resolvers, one after the other until one has an answer. It keeps nothing."""

    def __init__(self, servers: Iterable[Server] | None = None):
        self._servers = list(configured_servers() if servers is None else servers)

    def each(self) -> list["Resolver"]:
        """Return a resolver for each server, so that one that lies or lags can be found out."""
        return [Resolver([server]) for server in self._servers] or [self]

    def ask(self, name: str, kind: str) -> Answer:
        """Return what the first server says that says something. `kind` is "TXT" or "CNAME"."""
        resolver = dns.resolver.Resolver(configure=False)  # it has no cache
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
    """Why the last server that was asked had no answer: its error, or the text of its RCODE."""
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
        # Without spaces between: RFC 7208 section 3.3.
        return _printable(b"".join(rdata.strings)[: MAX_VALUE + 1])
    return rdata.target.to_text(omit_final_dot=True)


def _via(name: dns.name.Name, canonical_name: dns.name.Name) -> str:
    return "" if canonical_name == name else canonical_name.to_text(omit_final_dot=True)


def _printable(value: bytes) -> str:
    r"""Return a value as `dig` shows it: what is not printable ASCII as \DDD (RFC 1035 section 5.1)."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03}" for byte in value)
