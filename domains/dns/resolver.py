"""Questions to the DNS. An answer is Found, Absent or Unanswered, and only the first two say anything.

Each question goes to the resolvers that the operator named, never to an address that a
domain's owner could choose, and is over within LIFETIME_SECONDS, whatever they do.
"""

import re
import time
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
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
from django.conf import settings

from web.workers import Workers

LIFETIME_SECONDS = 5
TRY_SECONDS = 2  # for one server; one that stays silent is asked once more when the others were
EDNS_PAYLOAD = 1232  # DNS flag day 2020: never fragmented; longer answers come by TCP
MOST_ALIASES = 8
# Of a response, which may have 64 KB: a DKIM key of 4096 bits has 800 characters, the longest SPF
# records of real domains some 2,000, and the most TXT values at one name are a hundred or two.
MAX_VALUE = 4096  # characters
MAX_VALUES = 500
PORT = 53


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


@dataclass(frozen=True)
class Server:
    """A resolver's address."""

    ip: str
    port: int = PORT


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
        self.servers = list(configured_servers() if servers is None else servers)

    def ask(self, name: str, kind: str) -> Answer:
        """Return what the first server says that says something. `kind` is "TXT" or "CNAME"."""
        return self._ask(self.servers, name, kind)

    def ask_each(self, name: str, kind: str) -> list[Answer]:
        """Return what each server says, so that one that lies or lags is found out."""
        if not self.servers:
            return [self.ask(name, kind)]
        workers = Workers("dns", threads=len(self.servers))
        asked = [workers.submit(self._ask, [server], name, kind) for server in self.servers]
        return [future.result() for future in asked]

    def _ask(self, servers: Iterable[Server], name: str, kind: str) -> Answer:
        try:
            query = dns.message.make_query(dns.name.from_text(name), kind, use_edns=0, payload=EDNS_PAYLOAD)
        except dns.exception.DNSException:
            return Unanswered("this name is too long for the DNS")
        end = time.monotonic() + LIFETIME_SECONDS
        answer: Answer = Unanswered("this server knows no DNS resolver")
        waiting, silent = list(servers), []
        while waiting and (left := end - time.monotonic()) > 0:
            server = waiting.pop(0)
            answer, timed_out = _ask_one(server, query, time.monotonic() + min(left, TRY_SECONDS))
            if not isinstance(answer, Unanswered):
                break
            if timed_out and server not in silent:
                silent.append(server)
                waiting.append(server)
        return answer


def _ask_one(server: Server, query: dns.message.Message, end: float) -> tuple[Answer, bool]:
    """Return the answer of one server, and whether it was silent until the monotonic time `end`."""
    try:
        return read(_exchange(server, query, end)), False
    except dns.exception.Timeout:
        return Unanswered("the DNS resolver did not answer in time"), True
    except (OSError, EOFError):
        return Unanswered("the DNS resolver can't be reached"), False
    except (dns.exception.DNSException, ValueError):
        return Unanswered("the DNS resolver answered with something else"), False


def _exchange(server: Server, query: dns.message.Message, end: float) -> dns.message.Message:
    try:
        # Answers to another question, with another id or from elsewhere are passed over: anybody
        # could have sent them.
        return dns.query.udp(
            query,
            server.ip,
            end - time.monotonic(),
            server.port,
            ignore_unexpected=True,
            ignore_errors=True,
            raise_on_truncation=True,
        )
    except dns.message.Truncated:
        return dns.query.tcp(query, server.ip, max(0, end - time.monotonic()), server.port)


def read(response: dns.message.Message) -> Answer:
    """Return what the response to a question says, its CNAMEs followed."""
    rcode = response.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Unanswered(f"the DNS resolver answered {dns.rcode.to_text(rcode)}")
    if not response.flags & (dns.flags.AA | dns.flags.RA):
        return Unanswered("the DNS resolver doesn't look up names for this server")
    question = response.question[0]
    records = {(each.name, each.rdtype): each for each in response.answer}
    name, aliases = question.name, 0
    while (name, question.rdtype) not in records and (name, dns.rdatatype.CNAME) in records:
        name, aliases = records[name, dns.rdatatype.CNAME][0].target, aliases + 1
        if aliases > MOST_ALIASES:
            return Unanswered("its CNAME records form a loop or a chain that is too long")
    via = _name(name) if aliases else ""
    if found := records.get((name, question.rdtype)):
        return _found(found, via)
    if records and not aliases:
        return Unanswered("the DNS resolver answered with something else")
    return Absent(via)


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
    return _name(rdata.target)


def _name(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)


def _printable(value: bytes) -> str:
    r"""Return a value as `dig` shows it: what is not printable ASCII as \DDD (RFC 1035 section 5.1)."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03}" for byte in value)
