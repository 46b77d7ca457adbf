"""Long and numerous DNS records, which anybody can publish, cost no more than reading them once."""

import time

import pytest
from django.core.management import call_command

from domains.dns import records
from domains.dns.judging import judge
from domains.dns.lookups import Lookups
from domains.dns.records import Kind, Operator, Status
from domains.dns.resolver import MAX_VALUE, MAX_VALUES, Absent, Found, Resolver
from domains.models.dns_record import MAX_SHOWN_VALUES, VALUE_LENGTH
from domains.verification.check import CheckResult, check_now
from tests.dns.names import lookups
from tests.dns.server import proof
from tests.factories import SYSTEM, make_domain
from tests.http import sign_in, text

CPU_SECONDS = 2  # of a check; without bounds these records took minutes
ALL = {
    record.kind: record
    for record in records.expected(
        "sl.example.com", "abc", Operator(spf_include="spf.example.net"), organizational="example.com"
    )
}


def txt(name: str, value: str) -> str:
    """A TXT record of any length for a zone file, in strings of 255 characters."""
    strings = [value[start : start + 255] for start in range(0, len(value), 255)]
    return f"{name} TXT ( " + "\n ".join(f'"{string}"' for string in strings) + " )"


HOSTILE = {
    "one name": "v=DMARC1;" + "a" * 60_000,
    "blanks": "v=DMARC1;" + "a " * 30_000,
    "tags": "v=DMARC1;" + "p=none;" * 8_000,
}
SPF = {
    "terms": "v=spf1 " + " ".join(f"ip4:10.{n // 250}.{n % 250}.1" for n in range(4_000)),
    "one term": "v=spf1 " + "a" * 60_000,
}


@pytest.fixture
def pending(alice, settings):
    settings.SPF_INCLUDE = "spf.example.net"
    return make_domain("sl.example.com", owner=alice, authorized=False)


def cpu_seconds(act) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


@pytest.mark.django_db
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_long_dmarc_record_of_unproved_domain_costs_little(nsd, pending, value):
    nsd.put(txt("_dmarc.sl", value))
    assert cpu_seconds(lambda: check_now(pending, by=SYSTEM)) < CPU_SECONDS
    row = pending.dns_records.get(kind="dmarc")
    assert row.status == "unknown" and "more than 4,096 characters" in row.message
    assert len(row.found) <= VALUE_LENGTH + 1


@pytest.mark.django_db
@pytest.mark.parametrize("value", SPF.values(), ids=SPF)
def test_long_spf_record_costs_little_and_is_not_reported_missing(nsd, client, alice, pending, value):
    nsd.put(txt("sl", value))
    assert cpu_seconds(lambda: check_now(pending, by=SYSTEM)) < CPU_SECONDS
    row = pending.dns_records.get(kind="spf")
    assert row.status == "unknown" and not row.suggested
    page = text(sign_in(client, alice).get("/domains/sl.example.com/settings/dns/"))
    assert "This could not be checked: the record has more than 4,096 characters." in page
    assert len(page) < 60_000


@pytest.mark.django_db
def test_thousands_of_values_cost_little_and_proof_still_counts(nsd, pending):
    nsd.put(proof(pending), *(f'sl TXT "v=spf1 include:x{n}.example"' for n in range(1_500)))
    outcome = []
    assert cpu_seconds(lambda: outcome.append(check_now(pending, by=SYSTEM))) < CPU_SECONDS
    assert outcome == [CheckResult.AUTHORIZED]
    row = pending.dns_records.get(kind="spf")
    assert row.status == "unknown" and f"more than {MAX_VALUES} TXT records" in row.message
    assert len(row.found) <= (MAX_SHOWN_VALUES + 1) * (VALUE_LENGTH + 2) and len(row.suggested) <= MAX_VALUE


@pytest.mark.django_db(transaction=True)
def test_hostile_records_do_not_delay_other_domains_of_check_domains(nsd, pending, alice, capsys):
    other = make_domain("other.example.com", owner=alice, authorized=False)
    nsd.put(txt("_dmarc.sl", HOSTILE["one name"]), txt("sl", SPF["terms"]), proof(other))
    assert cpu_seconds(lambda: call_command("check_domains")) < 2 * CPU_SECONDS
    other.refresh_from_db()
    assert other.is_authorized and "2 domains checked" in capsys.readouterr().out


def test_length_and_number_of_values_are_bounded(nsd):
    nsd.put(txt("a", "x" * MAX_VALUE), txt("a", "y" * (MAX_VALUE + 1)), *(f'b TXT "{n}"' for n in range(501)))
    assert Resolver().ask("a.example.com", "TXT") == Found(("x" * MAX_VALUE,), too_long=("y" * MAX_VALUE,))
    found = Resolver().ask("b.example.com", "TXT")
    assert len(found.values) == MAX_VALUES and found.is_cut


LONG_SPF, LONG_DMARC = ("v=spf1 " + "a" * 5000,), ("v=DMARC1; p=none;" + "a" * 5000,)


@pytest.mark.parametrize(
    ("kind", "answer", "status"),
    [
        (Kind.SPF, Found(("x",), too_long=LONG_SPF), Status.UNKNOWN),
        (Kind.SPF, Found(("v=spf1 include:spf.example.net ~all",), too_long=LONG_SPF), Status.UNKNOWN),
        (Kind.SPF, Found(("v=spf1 include:spf.example.net ~all",), too_long=LONG_DMARC), Status.VERIFIED),
        (Kind.SPF, Found(("x",), is_cut=True), Status.UNKNOWN),
        (Kind.DMARC, Found((), too_long=LONG_DMARC), Status.UNKNOWN),
        (Kind.DMARC, Found(("v=DMARC1; p=none",), too_long=LONG_SPF), Status.VERIFIED),
        (Kind.OWNERSHIP, Found((), too_long=LONG_SPF), Status.WRONG),
        (
            Kind.OWNERSHIP,
            Found((f"{records.PROOF_PREFIX}abc",), is_cut=True, too_long=LONG_SPF),
            Status.VERIFIED,
        ),
        (Kind.OWNERSHIP, Found(("x",), is_cut=True), Status.UNKNOWN),
    ],
)
def test_unread_values_make_status_unknown(kind, answer, status):
    relay = {"spf.example.net TXT": ["v=spf1 -all"]}
    assert judge(ALL[kind], answer, lookups(relay)).status is status


def test_long_dmarc_record_of_registered_domain_is_not_reported_missing():
    class Long:
        def ask(self, name, kind):
            return Found((), too_long=LONG_DMARC) if name == "_dmarc.example.com" else Absent()

    assert judge(ALL[Kind.DMARC], Absent(), Lookups(Long())).status is Status.UNKNOWN


def test_longest_real_spf_record_is_read():
    spf = "v=spf1 include:spf.example.net " + " ".join(f"ip4:192.0.2.{n}" for n in range(200)) + " ~all"
    relay = {"spf.example.net TXT": ["v=spf1 -all"]}
    assert judge(ALL[Kind.SPF], Found((spf,)), lookups(relay)).status is Status.VERIFIED
