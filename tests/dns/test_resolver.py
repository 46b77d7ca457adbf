"""Queries to a real DNS server, and to servers that lie or stay silent: found, absent or unanswered."""

import time

import dns.message
import dns.rcode
import pytest

from domains.dns.resolver import Absent, Found, Resolver, Unanswered, configured_servers, parse_server
from tests.dns.server import FakeResolver


def txt(name, *records, nsd):
    nsd.put(*records)
    return Resolver().ask(name, "TXT")


def answering(text="right"):
    """Make the answers of an honest resolver."""

    def answer(query, wire):
        response = dns.message.make_response(query, recursion_available=True)
        name = query.question[0].name
        response.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", f'"{text}"'))
        return [response.to_wire()]

    return answer


def refusing(rcode, flags=0):
    def answer(query, wire):
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(rcode)
        return [response.to_wire()]

    return answer


def test_values_are_found(nsd):
    found = txt("a.example.com", 'a 0 TXT "one"', 'a 0 TXT "two"', nsd=nsd)
    assert isinstance(found, Found) and sorted(found.values) == ["one", "two"] and not found.via


def test_strings_of_one_record_are_joined_without_spaces(nsd):
    assert txt("a.example.com", 'a TXT "v=spf1 inc" "lude:b.example ~all"', nsd=nsd) == Found(
        ("v=spf1 include:b.example ~all",)
    )


def test_missing_name_and_missing_type_are_absent(nsd):
    assert txt("b.example.com", "a A 192.0.2.1", nsd=nsd) == Absent()
    assert Resolver().ask("a.example.com", "TXT") == Absent()


def test_cname_is_followed_and_returned_as_via(nsd):
    assert txt("a.example.com", "a CNAME b", 'b TXT "there"', nsd=nsd) == Found(("there",), via="b.example.com")
    assert Resolver().ask("a.example.com", "CNAME") == Found(("b.example.com",))
    assert txt("a.example.com", "a CNAME nowhere.example.net.", nsd=nsd) == Absent(via="nowhere.example.net")


def test_cname_loop_is_unanswered(nsd):
    answer = txt("a.example.com", "a CNAME b", "b CNAME a", nsd=nsd)
    assert answer == Unanswered("its CNAME records form a loop or a chain that is too long")


def test_hundreds_of_values_arrive_by_tcp(nsd):
    found = txt("a.example.com", *(f'a TXT "value number {n} {"x" * 60}"' for n in range(200)), nsd=nsd)
    assert len(found.values) == 200


def test_unprintable_bytes_are_escaped(nsd):
    found = txt("a.example.com", r'a TXT "<b>\027[31m\000\195\188</b>"', nsd=nsd)
    assert found == Found((r"<b>\027[31m\000\195\188</b>",))


@pytest.mark.parametrize(("name", "rcode"), [("a.broken.test", "SERVFAIL"), ("a.example.org", "REFUSED")])
def test_failure_of_server_is_unanswered(nsd, name, rcode):
    assert Resolver().ask(name, "TXT") == Unanswered(f"the DNS resolver answered {rcode}")


def test_name_too_long_for_dns_is_unanswered(nsd):
    assert isinstance(Resolver().ask(".".join(["a" * 63] * 4), "TXT"), Unanswered)


@pytest.mark.parametrize("rcode", [dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS, None])
def test_resolver_that_does_not_take_edns_is_asked_without_it(fake, short_timeouts, rcode):
    def answer(query, wire):
        if query.edns < 0:
            return answering()(query, wire)
        return () if rcode is None else refusing(rcode)(query, wire)

    fake.answer = answer
    resolver = Resolver()
    assert resolver.ask("a.example.com", "TXT") == Found(("right",))
    assert fake.names == ["a.example.com"] * 2
    assert resolver.ask("b.example.com", "TXT") == Found(("right",))
    assert fake.names[2:] == ["b.example.com"]


@pytest.mark.parametrize("rcode", [dns.rcode.FORMERR, dns.rcode.NOTIMP])
def test_resolver_that_refuses_without_edns_too_is_asked_once_more_only(fake, rcode):
    fake.answer = refusing(rcode)
    assert Resolver().ask("a.example.com", "TXT") == Unanswered(
        f"the DNS resolver answered {dns.rcode.to_text(rcode)}"
    )
    assert len(fake.names) == 2


def test_nothing_is_asked_after_deadline_of_check(fake, monkeypatch):
    monkeypatch.setattr("domains.dns.resolver.CHECK_SECONDS", 0)
    resolver = Resolver().for_check()
    for single in (resolver, *resolver.each()):
        assert single.ask("a.example.com", "TXT") == Unanswered("the DNS resolver did not answer in time")
    assert fake.names == []


def test_dname_above_is_returned(nsd):
    nsd.put("sub DNAME other")
    answer = Resolver().ask("a.sub.example.com", "TXT")
    assert answer == Absent(via="a.other.example.com", dname="sub.example.com")


def test_zone_of_absent_name_is_returned(nsd):
    nsd.put("a.b A 192.0.2.1")
    for name in ("a.b.example.com", "b.example.com", "none.example.com"):
        assert Resolver().ask(name, "TXT").zone == "example.com"


def test_silent_resolver_is_asked_again_and_is_unanswered(fake, short_timeouts):
    assert Resolver().ask("a.example.com", "TXT") == Unanswered("the DNS resolver did not answer in time")
    assert fake.names == ["a.example.com"] * 2


def wrong_id(query, wire):
    (right,) = answering("a lie")(query, wire)
    return [bytes([right[0] ^ 1]) + right[1:]]


def other_name(query, wire):
    lie = dns.message.make_query("other.example.com", "TXT")
    lie.id = query.id
    return answering("a lie")(lie, wire)


@pytest.mark.parametrize(
    "lie", [wrong_id, other_name, lambda query, wire: [b"\xff" * 40, b"x", wire]], ids=["id", "name", "garbage"]
)
def test_forged_and_broken_responses_are_ignored(fake, short_timeouts, lie):
    fake.answer = lie
    assert isinstance(Resolver().ask("a.example.com", "TXT"), Unanswered)
    fake.answer = lambda query, wire: [*lie(query, wire), *answering()(query, wire)]
    assert Resolver().ask("a.example.com", "TXT") == Found(("right",))


def test_records_of_other_name_are_unanswered(fake):
    def answer(query, wire):
        response = dns.message.make_response(query, recursion_available=True)
        response.answer.append(dns.rrset.from_text("other.example.com.", 60, "IN", "TXT", '"a lie"'))
        return [response.to_wire()]

    fake.answer = answer
    assert isinstance(Resolver().ask("a.example.com", "TXT"), Unanswered)


def test_server_without_recursion_is_unanswered(fake):
    fake.answer = lambda query, wire: [dns.message.make_response(query).to_wire()]
    assert Resolver().ask("a.example.com", "TXT") == Unanswered(
        "the DNS resolver doesn't look up names for this server"
    )


def test_next_resolver_is_asked_when_one_fails_or_is_silent(fake, settings, short_timeouts):
    fake.answer = answering()
    with FakeResolver(refusing(dns.rcode.SERVFAIL)) as failing, FakeResolver() as silent:
        settings.DNS_RESOLVERS = [failing.address, silent.address, fake.address]
        assert Resolver().ask("a.example.com", "TXT") == Found(("right",))
        assert len(failing.names) == len(silent.names) == len(fake.names) == 1


def test_each_resolver_can_be_asked_alone(fake, settings):
    fake.answer = answering()
    with FakeResolver(refusing(dns.rcode.NXDOMAIN)) as lagging:
        settings.DNS_RESOLVERS = [lagging.address, fake.address]
        assert [single.ask("a.example.com", "TXT") for single in Resolver().each()] == [
            Absent(),
            Found(("right",)),
        ]


def test_query_ends_within_its_lifetime(fake, settings, monkeypatch):
    monkeypatch.setattr("domains.dns.resolver.LIFETIME_SECONDS", 0.2)
    settings.DNS_RESOLVERS = [fake.address] * 10
    began = time.monotonic()
    assert isinstance(Resolver().ask("a.example.com", "TXT"), Unanswered)
    assert time.monotonic() - began < 10  # ten silent servers would take two seconds each


def test_no_resolver_is_unanswered():
    assert isinstance(Resolver([]).ask("a.example.com", "TXT"), Unanswered)
    assert Resolver([]).each()[0].ask("a.example.com", "TXT") == Unanswered("this server knows no DNS resolver")


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("192.0.2.53", "192.0.2.53", 53),
        (" 192.0.2.53:5353 ", "192.0.2.53", 5353),
        ("2001:db8::53", "2001:db8::53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
        ("[::1]", "::1", 53),
    ],
)
def test_resolver_address_has_optional_port(settings, text, address, port):
    settings.DNS_RESOLVERS = [text]
    for server in (parse_server(text), *configured_servers()):
        assert (server.address, server.port) == (address, port)


@pytest.mark.parametrize("text", ["", "resolver", "1.2.3.4:x", "1.2.3.4:0", "1.2.3.4:70000", "[::1]x", "1.2.3"])
def test_invalid_resolver_address_is_refused(text):
    with pytest.raises(ValueError):
        parse_server(text)
