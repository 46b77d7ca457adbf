"""Judging the answers for an expected record: a status, and a sentence that helps."""

import pytest

from domains.dns import records
from domains.dns.records import Kind, Operator, Status, judge
from domains.dns.resolver import Absent, Found, Unanswered
from domains.models.dns_record import MAX_SHOWN_VALUES, VALUE_LENGTH, shortened

OPERATOR = Operator("spf.relay.example.net", "SL1:sl1.dkim.example.net.", "bounces:bounces.example.net")
ALL = {
    record.kind: record
    for record in records.expected("mail.example.com", "abc123", OPERATOR, organizational="example.com")
}
VALUE = "sendlayer-verification=abc123"
INCLUDE = "include:spf.relay.example.net"


def judged(kind, answer, elsewhere=None):
    return judge(ALL[kind], answer, elsewhere)


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
    judgement = judged(Kind.OWNERSHIP, Found(tuple(values)))
    assert judgement.status is status and help in judgement.message


@pytest.mark.parametrize(
    ("host", "help"),
    [
        ("_sendlayer.mail.example.com.mail.example.com", "enter only _sendlayer"),
        ("mail.example.com", "record is at mail.example.com"),
    ],
)
def test_ownership_record_at_other_hostname_is_reported_but_does_not_count(host, help):
    for here in (Absent(), Found(("other",))):
        judgement = judged(Kind.OWNERSHIP, here, elsewhere={host: Found((VALUE,))})
        assert judgement.status is Status.WRONG and help in judgement.message


def test_cname_that_hides_record_is_reported():
    for here in (Absent(via="host.example.net"), Found(("other",), via="host.example.net")):
        judgement = judged(Kind.OWNERSHIP, here)
        assert (judgement.status, judgement.found) == (Status.WRONG, ("CNAME host.example.net",))
        assert "Remove the CNAME" in judgement.message
    assert judged(Kind.OWNERSHIP, Found((VALUE,), via="host.example.net")).status is Status.VERIFIED


@pytest.mark.parametrize("kind", list(Kind))
def test_absent_record_is_missing_and_unanswered_is_unknown(kind):
    assert judged(kind, Absent()).status is Status.MISSING
    unknown = judged(kind, Unanswered("the DNS resolver answered SERVFAIL"))
    assert unknown.status is Status.UNKNOWN and "answered SERVFAIL" in unknown.message


@pytest.mark.parametrize(
    ("values", "status", "suggested"),
    [
        ([f"v=spf1 a {INCLUDE} -all", "other"], Status.VERIFIED, ""),
        ([f"V=SPF1 +{INCLUDE.upper()}"], Status.VERIFIED, ""),
        (["v=spf10 x", "v=DMARC1"], Status.MISSING, ""),
        (["v=spf1 a mx -all"], Status.WRONG, f"v=spf1 {INCLUDE} a mx -all"),
        (["v=spf1"], Status.WRONG, f"v=spf1 {INCLUDE} ~all"),
        (["v=spf1 redirect=x.example"], Status.WRONG, f"v=spf1 {INCLUDE} redirect=x.example"),
        ([f"v=spf1 ~all {INCLUDE}"], Status.WRONG, f"v=spf1 {INCLUDE} ~all"),
        ([f"v=spf1 -{INCLUDE} -all"], Status.WRONG, f"v=spf1 {INCLUDE} -all"),
        (
            [f"v=spf1 {INCLUDE}.evil.example -all"],
            Status.WRONG,
            f"v=spf1 {INCLUDE} {INCLUDE}.evil.example -all",
        ),
        (["v=spf1 a -all", f"v=spf1 a mx {INCLUDE} ~all"], Status.WRONG, f"v=spf1 {INCLUDE} a mx -all"),
    ],
)
def test_spf_record_has_to_include_that_of_operator(values, status, suggested):
    judgement = judged(Kind.SPF, Found(tuple(values)))
    assert (judgement.status, judgement.suggested) == (status, suggested)


@pytest.mark.parametrize("kind", [Kind.DKIM, Kind.RETURN_PATH])
def test_cname_has_to_point_to_its_target(kind):
    target = ALL[kind].value
    assert judged(kind, Found((f"{target.upper()}.",))).status is Status.VERIFIED
    wrong = judged(kind, Found(("other.example.org",)))
    assert (wrong.status, wrong.found) == (Status.WRONG, ("other.example.org",))
    assert "dot at the end" in judged(kind, Found((f"{target}.mail.example.com",))).message


@pytest.mark.parametrize(
    ("values", "status"),
    [
        (["v=DMARC1; p=none;"], Status.VERIFIED),
        (["v=DMARC1;p=reject; rua=mailto:a@example.com", "other"], Status.VERIFIED),
        (["v=DMARC1; p=later"], Status.WRONG),
        (["v=DMARC1"], Status.WRONG),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], Status.WRONG),
        (["v=spf1 -all"], Status.MISSING),
    ],
)
def test_any_valid_dmarc_record_is_verified(values, status):
    assert judged(Kind.DMARC, Found(tuple(values))).status is status


def test_dmarc_record_of_registered_domain_applies_too():
    elsewhere = {"_dmarc.example.com": Found(("v=DMARC1; p=reject",))}
    judgement = judged(Kind.DMARC, Absent(), elsewhere=elsewhere)
    assert judgement.status is Status.VERIFIED and "_dmarc.example.com" in judgement.message
    assert judged(Kind.DMARC, Found(("v=DMARC1; p=later",)), elsewhere=elsewhere).status is Status.WRONG


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
