"""Judging the answers for an expected record: a status, and a sentence that helps."""

import pytest

from domains.dns import records
from domains.dns.judging import judge
from domains.dns.lookups import MAX_QUESTIONS, Lookups
from domains.dns.records import Kind, Operator, Status
from domains.dns.resolver import Absent, Found, Unanswered
from domains.models.dns_record import MAX_SHOWN_VALUES, VALUE_LENGTH, shortened
from tests.dns.names import Names, lookups

OPERATOR = Operator("spf.relay.example.net", "SL1:sl1.dkim.example.net.", "bounces:bounces.example.net")
RELAY = {"spf.relay.example.net TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]}
VALUE = "sendlayer-verification=abc123"
INCLUDE = "include:spf.relay.example.net"
SPF, DMARC = f"v=spf1 {INCLUDE} ~all", "v=DMARC1; p=none;"


def expected(name="mail.example.com", zone="example.com"):
    rows = records.expected(name, "abc123", OPERATOR, organizational="example.com", zone=zone)
    return {record.kind: record for record in rows}


ALL = expected()
TOP, SUB = "example.com", "mail.example.com"


def judged(kind, dns=(), *, name="mail.example.com", zone="example.com", broken=()):
    """Judge the record of a kind in a DNS of {"host TYPE": values}."""
    record, found = expected(name, zone)[kind], lookups(RELAY | dict(dns), broken)
    return judge(record, found.ask(record.host, record.type), found)


def own(kind, *values):
    """A DNS in which the record of a kind has values."""
    return {f"{ALL[kind].host} {ALL[kind].type}": values}


def test_expected_records_of_domain():
    rows = [(record.type, record.host, record.value, record.required) for record in ALL.values()]
    assert rows == [
        ("TXT", "_sendlayer.mail.example.com", VALUE, True),
        ("TXT", "mail.example.com", f"v=spf1 {INCLUDE} ~all", False),
        ("CNAME", "sl1._domainkey.mail.example.com", "sl1.dkim.example.net", False),
        ("CNAME", "bounces.mail.example.com", "bounces.example.net", False),
        ("TXT", "_dmarc.mail.example.com", "v=DMARC1; p=none;", False),
    ]
    alone = records.expected("example.com", "x", Operator(), organizational="example.com")
    assert [record.kind for record in alone] == [Kind.OWNERSHIP, Kind.DMARC]


def test_label_is_relative_to_the_zone():
    labels = [
        [record.label for record in expected(zone=zone).values()]
        for zone in ("example.com", "mail.example.com")
    ]
    assert labels == [
        ["_sendlayer.mail", "mail", "sl1._domainkey.mail", "bounces.mail", "_dmarc.mail"],
        ["_sendlayer", "@", "sl1._domainkey", "bounces", "_dmarc"],
    ]
    assert [record.label for record in expected(zone="").values()] == labels[0]


@pytest.mark.parametrize(
    ("values", "status", "help"),
    [
        ([VALUE], Status.VERIFIED, ""),
        ([f" {VALUE} ", "other"], Status.VERIFIED, ""),
        (["x"] * 150 + [VALUE] + ["y"] * 49, Status.VERIFIED, ""),
        (["v=spf1 -all"], Status.WRONG, "Add this one"),
        ([f'"{VALUE}"'], Status.WRONG, "quotation marks"),
        (["sendlayer-verification=other"], Status.WRONG, "another account"),
        (["abc123"], Status.WRONG, "beginning of the value is missing"),
        ([VALUE.upper()], Status.WRONG, "another account"),
    ],
)
def test_ownership_record(values, status, help):
    judgement = judged(Kind.OWNERSHIP, own(Kind.OWNERSHIP, *values))
    assert judgement.status is status and help in judgement.message


@pytest.mark.parametrize(
    ("kind", "place", "zone", "help"),
    [
        (Kind.OWNERSHIP, "_sendlayer.example.com", TOP, "adds .example.com to what you enter"),
        (Kind.OWNERSHIP, "_sendlayer.example.com", SUB, "in the zone mail.example.com, as _sendlayer."),
        (Kind.OWNERSHIP, "_sendlayer.mail.example.com.example.com", TOP, "enter only _sendlayer.mail."),
        (Kind.OWNERSHIP, "_sendlayer.mail.example.com.mail.example.com", SUB, "enter only _sendlayer."),
        (Kind.OWNERSHIP, "_sendlayer.mail.example.com.mail.example.com", TOP, "enter only _sendlayer."),
        (Kind.OWNERSHIP, "_sendlayer.mail.mail.example.com", SUB, "enter only _sendlayer."),
        (Kind.OWNERSHIP, "mail.example.com", TOP, "Enter _sendlayer.mail as its hostname."),
        (Kind.OWNERSHIP, "example.com", TOP, "Enter _sendlayer.mail as its hostname."),
        (Kind.DKIM, "sl1._domainkey.mail.example.com.example.com", TOP, "enter only sl1._domainkey.mail."),
        (Kind.DKIM, "sl1._domainkey.example.com", TOP, "not for this hostname. Add one: enter sl1."),
        (Kind.RETURN_PATH, "bounces.mail.example.com.mail.example.com", SUB, "enter only bounces."),
        (Kind.RETURN_PATH, "bounces.example.com", TOP, "Add one: enter bounces.mail."),
        (Kind.SPF, "mail.example.com.example.com", TOP, "enter only mail."),
        (Kind.DMARC, "_dmarc.mail.example.com.example.com", TOP, "enter only _dmarc.mail."),
        (Kind.DMARC, "mail.example.com", TOP, "Enter _dmarc.mail as its hostname."),
    ],
)  # fmt: skip
def test_record_at_other_hostname_is_named_but_does_not_count(kind, place, zone, help):
    value = {Kind.SPF: SPF, Kind.DMARC: DMARC}.get(kind, ALL[kind].value)
    judgement = judged(kind, {f"{place} {ALL[kind].type}": [value]}, zone=zone)
    assert judgement.status is Status.WRONG and judgement.found == (place,)
    assert place in judgement.message and help in judgement.message


@pytest.mark.parametrize("here", [{}, own(Kind.OWNERSHIP, "other")])
def test_misplaced_ownership_record_is_named_beside_others(here):
    dns = here | {"_sendlayer.example.com TXT": [VALUE]}
    assert "enter only _sendlayer.mail" in judged(Kind.OWNERSHIP, dns).message


def test_records_of_registered_domain_are_not_called_misplaced():
    dns = {"example.com TXT": [SPF, "sendlayer-verification=of-example.com"]}
    for kind in (Kind.SPF, Kind.OWNERSHIP):
        assert judged(kind, dns).status is Status.MISSING


WILDCARD = {"*.example.com CNAME": ["shop.hosting.net"], "example.com TXT": ["x"]}


@pytest.mark.parametrize("kind", [Kind.OWNERSHIP, Kind.DKIM, Kind.RETURN_PATH, Kind.DMARC, Kind.SPF])
def test_cname_of_wildcard_is_left_alone(kind):
    judgement = judged(kind, WILDCARD)
    assert judgement.status is Status.MISSING and judgement.found == ("CNAME shop.hosting.net",)
    assert "seems to come from a wildcard record (*): leave that, and just add this one." in judgement.message
    assert "emove the CNAME" not in judgement.message and "eplace" not in judgement.message


@pytest.mark.parametrize("kind", [Kind.DKIM, Kind.RETURN_PATH])
def test_addresses_of_wildcard_are_left_alone(kind):
    dns = {f"*.{ALL[kind].host.partition('.')[2]} A": ["192.0.2.1"]}
    message = judged(kind, dns).message
    assert "just add this one" in message and "switch off your DNS provider's proxy" in message


def test_txt_of_wildcard_is_left_alone():
    assert "just add this one" in judged(Kind.OWNERSHIP, {"*.example.com TXT": ["v=spf1 -all"]}).message
    spf = judged(
        Kind.SPF,
        {"*.example.com TXT": ["v=spf1 mx -all"], "mail.example.com MX": ["mx.example.com"]}
        | own(Kind.SPF, "v=spf1 -all"),
    )
    assert "wildcard" not in spf.message
    spf = judged(Kind.SPF, {"*.example.com TXT": ["v=spf1 ip4:192.0.2.9 -all"]})
    assert spf.suggested == f"v=spf1 {INCLUDE} ip4:192.0.2.9 -all"
    assert "seems to come from a wildcard record (*): leave that, and add one for this hostname" in spf.message


@pytest.mark.parametrize("type", ["A", "AAAA", "CNAME"])
def test_site_that_a_wildcard_serves_is_warned_before_proof_is_added(type):
    values = {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"], "CNAME": ["shop.hosting.net"]}[type]
    dns = {f"*.example.com {type}": values, "shop.hosting.net A": ["192.0.2.7"]}
    warning = "mail.example.com seems to get its address from a wildcard record"
    assert warning in judged(Kind.OWNERSHIP, dns).message
    assert warning not in judged(Kind.OWNERSHIP, dns | {"mail.example.com A": ["192.0.2.9"]}).message
    assert warning not in judged(Kind.OWNERSHIP, dns, name="example.com").message
    assert warning not in judged(Kind.OWNERSHIP, dns | own(Kind.OWNERSHIP, VALUE)).message


def test_cname_that_hides_record_is_reported():
    for values in ({}, {"host.example.net TXT": ["other"]}):
        dns = {"_sendlayer.mail.example.com CNAME": ["host.example.net"]} | values
        judgement = judged(Kind.OWNERSHIP, dns)
        assert (judgement.status, judgement.found) == (Status.WRONG, ("CNAME host.example.net",))
        assert (
            "Add this record at host.example.net, if that is yours, or replace the CNAME" in judgement.message
        )
    dns |= {"host.example.net TXT": [VALUE]}
    assert judged(Kind.OWNERSHIP, dns).status is Status.VERIFIED


def test_cname_of_the_domain_itself_is_not_to_be_removed_alone():
    judgement = judged(Kind.SPF, {"mail.example.com CNAME": ["ghs.example.net"]})
    assert "removing it alone takes down what uses this name" in judgement.message


def test_wildcard_that_could_not_be_told_is_said_to_be_possible(monkeypatch):
    monkeypatch.setattr("domains.dns.lookups.secrets.token_hex", lambda _: "x")
    broken = ("sl-x.mail.example.com", "sl-x._domainkey.mail.example.com")
    dns = {
        "_sendlayer.mail.example.com CNAME": ["host.example.net"],
        "sl1._domainkey.mail.example.com CNAME": ["y.example"],
    }
    for kind in (Kind.OWNERSHIP, Kind.DKIM):
        assert "If it comes from a wildcard record" in judged(kind, dns, broken=broken).message


def test_dname_is_not_taken_for_a_wildcard():
    for answer in (
        Absent("a.other.net", "mail.example.com"),
        Found(("other",), "a.other.net", "mail.example.com"),
    ):
        judgement = judge(ALL[Kind.OWNERSHIP], answer, lookups())
        assert (
            judgement.message
            == "A DNAME record at mail.example.com leads from here to a.other.net. Add this record there."
        )
    cname = judge(ALL[Kind.DKIM], Found(("a.other.net",), dname="mail.example.com"), lookups())
    assert "A DNAME record at mail.example.com leads from here to a.other.net." in cname.message


@pytest.mark.parametrize("kind", list(Kind))
def test_absent_record_is_missing_and_unanswered_is_unknown(kind):
    assert judged(kind).status is Status.MISSING
    unknown = judged(kind, broken=[ALL[kind].host])
    assert unknown.status is Status.UNKNOWN and "answered SERVFAIL" in unknown.message


@pytest.mark.parametrize("kind", [Kind.DKIM, Kind.RETURN_PATH])
def test_cname_has_to_point_to_its_target(kind):
    target = ALL[kind].value
    assert judged(kind, own(kind, f"{target.upper()}.")).status is Status.VERIFIED
    wrong = judged(kind, own(kind, "other.example.org"))
    assert (wrong.status, wrong.found) == (Status.WRONG, ("other.example.org",))
    assert "It points elsewhere" in wrong.message
    assert "dot at the end" in judged(kind, own(kind, f"{target}.mail.example.com")).message


@pytest.mark.parametrize(
    ("type", "value", "help"),
    [
        ("A", "104.16.0.1", "If your DNS provider proxies it, as Cloudflare does, switch the proxy off"),
        ("AAAA", "2606:4700::1", "switch the proxy off"),
        ("TXT", "v=DKIM1; p=", "There is a TXT record at this hostname, and a CNAME can't be added beside it."),
    ],
)
@pytest.mark.parametrize("kind", [Kind.DKIM, Kind.RETURN_PATH])
def test_other_records_where_a_cname_is_expected_are_named(kind, type, value, help):
    judgement = judged(kind, {f"{ALL[kind].host} {type}": [value]})
    assert (judgement.status, judgement.found) == (Status.WRONG, (value,)) and help in judgement.message


def test_key_that_a_provider_put_in_place_of_the_cname_is_verified():
    host, target = f"{ALL[Kind.DKIM].host} TXT", f"{ALL[Kind.DKIM].value} TXT"
    same = judged(Kind.DKIM, {host: ["v=DKIM1; p=abc"], target: ["v=DKIM1; p=abc"]})
    assert same.status is Status.VERIFIED and "not as a CNAME" in same.message
    assert judged(Kind.DKIM, {host: ["v=DKIM1; p=x"], target: ["v=DKIM1; p=abc"]}).status is Status.WRONG


@pytest.mark.parametrize(
    ("records", "top", "zone"),
    [
        ({"example.com SOA": ["ns"]}, "example.com", "example.com"),
        ({"mail.example.com SOA": ["ns"], "example.com SOA": ["ns"]}, "example.com", "mail.example.com"),
        (
            {"mail.example.com CNAME": ["x.example.net"], "example.com SOA": ["ns"]},
            "example.com",
            "example.com",
        ),
        ({"x.y A": ["192.0.2.1"]}, "example.com", ""),
    ],
)
def test_zone_is_found(records, top, zone):
    assert lookups(records).zone_of("mail.example.com", top) == zone


def test_zone_above_the_registered_name_is_taken_from_a_negative_answer():
    class Negative:
        def ask(self, name, kind):
            return Absent(zone="github.example")

    assert Lookups(Negative()).zone_of("me.github.example", "me.github.example") == "github.example"
    assert lookups(broken=["a.example.com"]).zone_of("a.example.com", "example.com") == ""


def test_questions_of_a_check_are_bounded():
    names = Names()
    found = Lookups(names)
    for number in range(2 * MAX_QUESTIONS):
        answer = found.ask(f"{number}.example.com", "TXT")
    assert len(names.asked) == MAX_QUESTIONS and isinstance(answer, Unanswered)
    assert found.ask("1.example.com", "TXT") == Absent()


def test_stored_text_of_hundreds_of_long_values_is_short():
    lines = shortened(["x" * 5000] * 200).splitlines()
    assert len(lines) == MAX_SHOWN_VALUES + 1 and lines[-1] == "… and 195 more"
    assert all(len(line) <= VALUE_LENGTH + 1 for line in lines)


@pytest.mark.parametrize(
    "setting", ["", "sl1", "sl1:", ":x.example", "sl1:localhost", "a b:x.example", "x:y:z.example"]
)
def test_cname_setting_needs_label_and_target(setting):
    with pytest.raises(ValueError):
        records.parse_cname(setting)
