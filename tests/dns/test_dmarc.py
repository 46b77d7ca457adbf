"""DMARC records: valid, malformed, and that of the registered domain."""

import pytest

from domains.dns.records import Kind, Status
from tests.dns.test_judging import judged, own

MISSING, WRONG, VERIFIED = Status.MISSING, Status.WRONG, Status.VERIFIED
IGNORED = "Receivers ignore this record"


@pytest.mark.parametrize(
    ("value", "status", "help", "suggested"),
    [
        ("v=DMARC1; p=none;", VERIFIED, "", ""),
        ("v=DMARC1;p=reject; rua=mailto:a@example.com", VERIFIED, "", ""),
        ("v = DMARC1 ; p = Quarantine ; sp=none", VERIFIED, "", ""),
        ("v=DMARC1; rua=mailto:a@example.com,mailto:b@example.com; p=none", VERIFIED, "", ""),
        ("V=DMARC1; p=none", WRONG, IGNORED, "v=DMARC1; p=none;"),
        ("v=dmarc1; p=none", WRONG, IGNORED, "v=DMARC1; p=none;"),
        (" v=DMARC1; p=none", WRONG, IGNORED, "v=DMARC1; p=none;"),
        ('"v=DMARC1; p=none"', WRONG, IGNORED, "v=DMARC1; p=none;"),
        (r"v=DMARC1\; p=none\; sp=none", WRONG, IGNORED, "v=DMARC1; p=none; sp=none;"),
        ("v=DMARC1 p=none", WRONG, IGNORED, "v=DMARC1; p=none;"),
        ("v=DMARC1, p=none", WRONG, IGNORED, "v=DMARC1; p=none;"),
        ("v=DMARC1 p=none rua=mailto:a@example.com", WRONG, IGNORED, ""),
        ("v:DMARC1; p=reject", WRONG, IGNORED, "v=DMARC1; p=reject;"),
        ("DMARC1; p=none", WRONG, IGNORED, "v=DMARC1; p=none;"),
        ("v=DMARC; p=none", WRONG, IGNORED, "v=DMARC1; p=none;"),
        ("p=none", WRONG, IGNORED, "v=DMARC1; p=none;"),
        ("p=none; v=DMARC1", WRONG, IGNORED, "v=DMARC1; p=none;"),
        ("v=DMARC1", WRONG, "no valid policy", ""),
        ("v=DMARC1;", WRONG, "no valid policy", ""),
        ("v=DMARC1; rua=mailto:a@example.com", WRONG, "no valid policy", ""),
        ("v=DMARC1; p=later", WRONG, "no valid policy", ""),
        ("v=DMARC1; p=none sp=none", WRONG, "no valid policy", ""),
        ("v=DMARC1; p=none; p=reject", WRONG, "the tag p twice", ""),
        ("v=DMARC1; p=none;;", WRONG, "nothing between them", "v=DMARC1; p=none;"),
        ("v=DMARC1;; p=none", WRONG, "nothing between them", "v=DMARC1; p=none;"),
        ("v=DMARC1; p=none; monitoring", WRONG, "“monitoring” isn't of the form tag=value", ""),
        ("v=DMARC1; p:none", WRONG, "“p:none” isn't of the form tag=value", ""),
        ("v=DMARC10; p=none", MISSING, "no DMARC record yet", ""),
        ("dmarc@example.com reads reports", MISSING, "no DMARC record yet", ""),
        ("v=spf1 -all", MISSING, "no DMARC record yet", ""),
    ],
)  # fmt: skip
def test_dmarc_record_is_valid_or_its_fault_is_named(value, status, help, suggested):
    judgement = judged(Kind.DMARC, own(Kind.DMARC, value))
    assert (judgement.status, judgement.suggested) == (status, suggested) and help in judgement.message
    assert judgement.found == (() if status is MISSING else (value,))
    if suggested:
        assert judged(Kind.DMARC, own(Kind.DMARC, suggested)).status is VERIFIED


def test_values_that_are_ignored_do_not_count_beside_a_record():
    assert judged(Kind.DMARC, own(Kind.DMARC, "V=DMARC1; p=none", "v=DMARC1; p=none", "x")).status is VERIFIED
    several = judged(Kind.DMARC, own(Kind.DMARC, "v=DMARC1; p=none", "v=DMARC1; p=reject"))
    assert several.status is WRONG and "none of them counts" in several.message


def test_dmarc_record_of_registered_domain_applies_too():
    there = {"_dmarc.example.com TXT": ["v=DMARC1; p=reject"]}
    judgement = judged(Kind.DMARC, there)
    assert judgement.status is VERIFIED and "_dmarc.example.com" in judgement.message
    assert judged(Kind.DMARC, there | own(Kind.DMARC, "v=DMARC1; p=later")).status is WRONG
