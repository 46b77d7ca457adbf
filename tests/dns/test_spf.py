"""SPF records: whether the operator's servers may send, and a suggestion that is valid or not made."""

import pytest

from domains.dns import spf
from domains.dns.records import Kind, Status
from domains.dns.spf_evaluation import MAX_LOOKUPS, evaluate
from tests.dns.names import lookups
from tests.dns.test_judging import INCLUDE, judged, own

VERIFIED, WRONG, UNKNOWN, MISSING = Status.VERIFIED, Status.WRONG, Status.UNKNOWN, Status.MISSING
RELAY = "spf.relay.example.net"
TEN = [f"include:{number}.example.net" for number in range(10)]
OTHERS = {
    "_spf.example.com TXT": [f"v=spf1 {INCLUDE} ~all"],
    "two.example.com TXT": ["v=spf1 include:_spf.example.com ?all"],
    "other.example.net TXT": ["v=spf1 ip4:192.0.2.1 -all"],
    "open.example.net TXT": ["v=spf1 +all"],
    "not.example.net TXT": [f"v=spf1 -{INCLUDE} -all"],
    "flat.example.net TXT": ["v=spf1 ip4:192.0.2.0/24 -all"],
    "twice.example.net TXT": ["v=spf1 -all", "v=spf1 ~all"],
    "broken.example.net TXT": ["v=spf1 include:nowhere.example.net -all"],
    "loop.example.net TXT": ["v=spf1 include:loop.example.net -all"],
    "macros.example.net TXT": ["v=spf1 exists:%{i}._spf.example.net -all"],
    "mail.example.com A": ["192.0.2.5"],
    "mail.example.com MX": ["mx.example.com"],
    "mx.example.com A": ["192.0.2.6"],
    "many.example.net MX": [f"mx{number}.example.net" for number in range(11)],
    **{f"{number}.example.net TXT": ["v=spf1 -all"] for number in range(10)},
}


def spf_of(*values, dns=(), broken=()):
    return judged(Kind.SPF, OTHERS | dict(dns) | own(Kind.SPF, *values), broken=broken)


@pytest.mark.parametrize(
    ("values", "help"),
    [
        ([f"v=spf1 a {INCLUDE} -all", "other"], ""),
        ([f"V=SPF1 +{INCLUDE.upper()}"], ""),
        ([f"v=spf1 {INCLUDE}. ~all"], ""),
        ([f"v=spf1  mx  {INCLUDE}  ~all"], ""),
        ([f"v=spf1 {INCLUDE}"], ""),
        ([f"v=spf1 ptr {INCLUDE} ~all"], ""),
        ([f"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 a/24 mx//64 {INCLUDE} -all"], ""),
        ([f"v=spf1 a:mail.example.com/24//64 {INCLUDE} -all"], ""),
        ([f"v=spf1 {INCLUDE} exp=why.example.com x-note=%{{d}} ?all"], ""),
        ([f"v=spf1 exists:%{{ir}}.%{{v}}._spf.%{{d2}} include:macros.example.net {INCLUDE} -all"], ""),
        (["v=spf1 redirect=_spf.example.com"], "through _spf.example.com"),
        (["v=spf1 REDIRECT=_SPF.example.com."], "through _spf.example.com"),
        (["v=spf1 include:other.example.net redirect=two.example.com"], "through two.example.com"),
        (["v=spf1 include:_spf.example.com -all"], "through _spf.example.com"),
        (["v=spf1 include:two.example.com -all"], "through two.example.com"),
        (["v=spf1 include:not.example.net include:_spf.example.com -all"], ""),
        ([f"v=spf1 redirect={RELAY}"], ""),
        (["v=spf1 ip4:192.0.0.0/16 -all"], "It lists the networks of spf.relay.example.net."),
        (["v=spf1 mx ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all"], "Change them whenever that one changes."),
        (["v=spf1 include:flat.example.net -all"], "It lists the networks"),
        ([f"v=spf1 {INCLUDE} {' '.join(TEN)} -all"], "mail of others may fail SPF. It takes more than 10"),
        ([f"v=spf1 {INCLUDE} include:nowhere.example.net -all"], "nowhere.example.net has no SPF record"),
        ([f"v=spf1 {INCLUDE} %s -all" % " ".join(f"a:{n}.nowhere.example" for n in range(3))], "find nothing"),
    ],
)  # fmt: skip
def test_record_that_includes_the_operators_is_verified(values, help):
    judgement = spf_of(*values)
    assert (judgement.status, judgement.suggested) == (VERIFIED, "") and help in judgement.message


def test_later_term_that_can_not_be_looked_up_changes_nothing():
    judgement = spf_of(f"v=spf1 {INCLUDE} include:x.example.net ~all", broken=["x.example.net"])
    assert (judgement.status, judgement.message) == (VERIFIED, "")


@pytest.mark.parametrize(
    ("values", "suggested"),
    [
        (["v=spf1 a mx -all"], f"v=spf1 {INCLUDE} a mx -all"),
        (["v=spf1"], f"v=spf1 {INCLUDE} ~all"),
        (["v=spf1 include:other.example.net ptr"], f"v=spf1 {INCLUDE} include:other.example.net ptr ~all"),
        (["v=spf1 redirect=other.example.net"], f"v=spf1 {INCLUDE} redirect=other.example.net"),
        (["v=spf1 redirect=_spf.example.com ?all"], f"v=spf1 {INCLUDE} include:_spf.example.com ?all"),
        ([f"v=spf1 ~all {INCLUDE}"], f"v=spf1 {INCLUDE} ~all"),
        ([f"v=spf1 -{INCLUDE} -all"], f"v=spf1 {INCLUDE} -all"),
        (["v=spf1 -include:_spf.example.com -all"], f"v=spf1 {INCLUDE} -include:_spf.example.com -all"),
        (["v=spf1 a -all", f"v=spf1 a mx {INCLUDE} ~all"], f"v=spf1 {INCLUDE} a mx -all"),
        (
            ["v=spf1 redirect=other.example.net", "v=spf1 mx -all"],
            f"v=spf1 {INCLUDE} mx include:other.example.net -all",
        ),
        ([f"v=spf1 include: {RELAY} ~all"], f"v=spf1 {INCLUDE} ~all"),
        (["v=spf1 redirect= other.example.net"], f"v=spf1 {INCLUDE} redirect=other.example.net"),
        (["v=spf1 +ip4: 192.0.2.1 -all"], f"v=spf1 {INCLUDE} +ip4:192.0.2.1 -all"),
        ([f"v=spf1 include={RELAY} ip4=192.0.2.1 ~all"], f"v=spf1 {INCLUDE} ip4:192.0.2.1 ~all"),
        ([r"v=spf1\194\160mx ~all"], f"v=spf1 {INCLUDE} mx ~all"),
        ([" v=spf1 mx ~all"], f"v=spf1 {INCLUDE} mx ~all"),
        (['"v=spf1 mx ~all"'], f"v=spf1 {INCLUDE} mx ~all"),
        (["v = spf1 mx ~all"], f"v=spf1 {INCLUDE} mx ~all"),
        ([f"v=spf1{INCLUDE} ~all"], f"v=spf1 {INCLUDE} ~all"),
        ([r"v=spf1\009mx\009~all"], f"v=spf1 {INCLUDE} mx ~all"),
        (['"v=spf1" "mx" "~all"'], f"v=spf1 {INCLUDE} mx ~all"),
        (["v=spf1; mx; ~all"], f"v=spf1 {INCLUDE} mx ~all"),
        (["v=spf1 mx,a ~all"], f"v=spf1 {INCLUDE} mx a ~all"),
        (["spf1 mx ~all"], f"v=spf1 {INCLUDE} mx ~all"),
        (["v=spf1 ip4:192.0.2.0/25 -all"], f"v=spf1 {INCLUDE} ip4:192.0.2.0/25 -all"),
        (["v=spf1 ?ip4:192.0.2.0/24 -all"], f"v=spf1 {INCLUDE} ?ip4:192.0.2.0/24 -all"),
        (["v=spf1 -include:flat.example.net -all"], f"v=spf1 {INCLUDE} -include:flat.example.net -all"),
        ([f"v=spf1 {INCLUDE}~all"], ""),
        ([f"v=spf1 mx{INCLUDE} ~all"], ""),
        (["v=spf1 include:other.example.netip4:192.0.2.1 ~all"], ""),
        (["v=spf1 mx-all"], ""),
        (["v=spf1 ip4:192.0.2.0/33 -all"], ""),
        (["v=spf1 ip4:2001:db8::1 -all"], ""),
        (["v=spf1 ip6:192.0.2.1 -all"], ""),
        (["v=spf1 a/33 -all"], ""),
        (["v=spf1 include:%{x}.example.net -all"], ""),
        (["v=spf1 include -all"], ""),
        (["v=spf1 all:x"], ""),
        (["v=spf1 ipv4:192.0.2.1"], ""),
        (["v=spf1 redirect=a.example.com redirect=b.example.com"], ""),
        (["v=spf1 include:nowhere.example.net ~all"], ""),
        (["v=spf1 include:twice.example.net ~all"], ""),
        (["v=spf1 include:broken.example.net ~all"], ""),
        (["v=spf1 include:loop.example.net ~all"], ""),
        (["v=spf1 redirect=nowhere.example.net"], ""),
        (["v=spf1 mx:many.example.net ~all"], ""),
        (["v=spf1 a:x.example a:y.example exists:z.example ~all"], ""),
        ([f"v=spf1 {' '.join(TEN)} ~all"], ""),
        ([f"v=spf1 {' '.join(TEN)} {INCLUDE} ~all"], ""),
        ([f"v=spf1 {' '.join(TEN[:5])} ~all", f"v=spf1 {' '.join(TEN[5:])} ~all"], ""),
        (["v=spf1 +all"], ""),
        (["v=spf1 mx all"], ""),
        (["v=spf1 include:open.example.net -all"], ""),
        (["v=spf1 mx -all", "v=spf1 +all"], f"v=spf1 {INCLUDE} mx -all"),
    ],
)  # fmt: skip
def test_suggestion_is_a_valid_record_or_none_with_the_reason(values, suggested):
    judgement = spf_of(*values)
    assert (judgement.status, judgement.suggested) == (WRONG, suggested)
    assert judgement.found == tuple(values) and judgement.message
    if suggested:
        assert spf_of(suggested).status is VERIFIED


@pytest.mark.parametrize(
    ("value", "help"),
    [
        ("v=spf1 mx -all", "Add it and keep the rest; don't add a second record."),
        (f"v=spf1 {INCLUDE}~all", f"“{INCLUDE}~all” isn't valid SPF"),
        (f"v=spf1 include={RELAY} ~all", "has = instead of a colon"),
        (
            f"v=spf1 {' '.join(TEN)} ~all",
            "would take more than 10 DNS lookups, an error to receivers. First remove",
        ),
        (f"v=spf1 {' '.join(TEN)} {INCLUDE} ~all", "so receivers treat it as an error. First remove"),
        (f"v=spf1 {' '.join(TEN)} +all", "anyone"),
        ("v=spf1 mx include:%{d}.example.net include:x.example -all", "x.example has no SPF record"),
        ("v=spf1 include:nowhere.example.net ~all", "nowhere.example.net has no SPF record"),
        ("v=spf1 include:twice.example.net ~all", "twice.example.net has several SPF records"),
        ("v=spf1 a:x.example a:y.example a:z.example ~all", "More than 2 of its DNS lookups find nothing"),
        ("v=spf1 mx:many.example.net ~all", "more than 10 mail servers"),
        ("v=spf1 +all", "anyone can send as this domain"),
        (f"v=spf1 ~all {INCLUDE}", "comes after all, where it is ignored"),
        ("v=spf1 -include:_spf.example.com -all", "“-include:_spf.example.com” keeps this server from sending"),
        (" v=spf1 mx ~all", "Receivers ignore this record"),
    ],
)
def test_fault_of_record_is_named(value, help):
    assert help in spf_of(value).message


@pytest.mark.parametrize(
    ("value", "help", "suggested"),
    [
        ("v=spf1 include:%{i}._spf.example.net -all", "“include:%{i}._spf.example.net” depends on each", ""),
        ("v=spf1 redirect=%{d}._spf.example.net", "depends on each message", ""),
        ("v=spf1 redirect=x.example.net", "x.example.net could not be looked up", ""),
        (f"v=spf1 include:x.example.net {INCLUDE} -all", "x.example.net could not be looked up", ""),
        ("v=spf1 a:x.example.net -all", "x.example.net could not be looked up", ""),
        (f"v=spf1 -ptr {INCLUDE} -all", "“-ptr” comes before include:", f"v=spf1 {INCLUDE} -ptr -all"),
        ("v=spf1 ?mx redirect=two.example.com", "exclude", f"v=spf1 {INCLUDE} ?mx redirect=two.example.com"),
    ],
)  # fmt: skip
def test_what_can_not_be_told_is_said(value, help, suggested):
    judgement = spf_of(value, broken=["x.example.net"])
    assert (judgement.status, judgement.suggested) == (UNKNOWN, suggested) and help in judgement.message


@pytest.mark.parametrize("values", [["v=spf10 x", "v=DMARC1"], ["spf2.0/pra -all"], ["x"]])
def test_other_values_are_no_spf_record(values):
    judgement = spf_of(*values)
    assert judgement.status is MISSING and "Add this one" in judgement.message


@pytest.mark.parametrize(
    "operators", [(), ["x"], ["v=spf1 -all", "v=spf1 ~all"], ["v=spf1 include:spf.relay.example.net"]]
)
@pytest.mark.parametrize("value", ["x", "v=spf1 mx -all", f"v=spf1 {INCLUDE} ~all"])
def test_include_of_an_invalid_record_is_not_asked_for(operators, value):
    judgement = spf_of(value, dns={f"{RELAY} TXT": operators})
    assert (judgement.status, judgement.suggested) == (UNKNOWN, "")
    assert f"Don't add this yet: the SPF record of {RELAY} is not valid" in judgement.message


def test_lookups_within_the_operators_record_count():
    nested = {f"{RELAY} TXT": [f"v=spf1 {' '.join(TEN[:4])} -all"]}
    assert spf_of(f"v=spf1 {' '.join(TEN[:5])} ~all", dns=nested).suggested
    assert not spf_of(f"v=spf1 {' '.join(TEN[:6])} ~all", dns=nested).suggested
    assert spf_of(f"v=spf1 {' '.join(TEN[:6])} {INCLUDE} ~all", dns=nested).status is WRONG


def test_long_suggestion_says_that_it_may_have_to_be_split():
    judgement = spf_of("v=spf1 " + " ".join(f"ip4:192.0.2.{n}" for n in range(20)) + " ~all")
    assert len(judgement.suggested) > 255 and "as several strings in quotation marks" in judgement.message


def test_each_record_costs_few_questions():
    wide = {
        f"{n}.example TXT": [f"v=spf1 {' '.join(f'include:{m}.example' for m in range(40))}"] for n in range(40)
    }
    names = lookups(wide)
    reading = evaluate(
        f"v=spf1 {' '.join(f'include:{n}.example' for n in range(40))}", "x.example", RELAY, names.ask
    )
    assert reading.lookups == MAX_LOOKUPS + 1 and len(names._resolver.asked) <= MAX_LOOKUPS


def test_parsed_terms_end_at_all():
    assert [term.text for term in spf.parse("v=spf1 mx -all a redirect=x.example")] == ["mx", "-all"]
    assert [term.name for term in spf.parse("v=spf1 redirect=x.example mx")] == ["mx", "redirect"]
