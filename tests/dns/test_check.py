"""A check of a domain against a real DNS: what it authorizes, reports and leaves alone."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import dns.message
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from audit.actor import Actor
from audit.models import Event
from domains.models import CHECK_EVERY, Domain
from domains.verification import check
from domains.verification.check import CheckResult, TooSoon, check_now
from tests.dns.server import FakeResolver, proof
from tests.factories import SYSTEM, make_domain
from tests.http import delivered

pytestmark = pytest.mark.django_db


def check_again(domain, by=SYSTEM):
    """Check a domain ten seconds after its last check."""
    domain = Domain.objects.get(pk=domain.pk)
    if domain.check_started_at:
        Domain.objects.filter(pk=domain.pk).update(check_started_at=domain.check_started_at - CHECK_EVERY)
    return check_now(domain, by=by)


def status(domain, kind="ownership"):
    return domain.dns_records.get(kind=kind).status


@pytest.fixture
def pending(alice):
    return make_domain("sl.example.com", owner=alice, authorized=False)


@pytest.fixture
def proved(nsd, pending):
    """sl.example.com, authorized by its record in the DNS."""
    nsd.put(proof(pending))
    assert check_now(pending, by=SYSTEM) is CheckResult.AUTHORIZED
    return pending


def test_proved_domain_is_authorized_with_first_credential(nsd, pending, alice):
    assert check_now(pending, by=Actor(alice.email, alice)) is CheckResult.UNCHANGED
    assert status(pending) == "missing" and not pending.credentials.exists()
    nsd.put(proof(pending))
    assert check_again(pending, by=Actor(alice.email, alice)) is CheckResult.AUTHORIZED
    assert status(pending) == "verified" and pending.credentials.count() == 1
    event = Event.objects.get(tag="domain.authorized")
    assert (event.actor, event.data) == (alice, {"method": "dns"})
    assert check_again(pending) is CheckResult.UNCHANGED and pending.credentials.count() == 1


def test_wrong_ownership_record_does_not_authorize(nsd, pending):
    nsd.put(proof(pending, "sendlayer-verification=of-somebody-else"))
    assert check_now(pending, by=SYSTEM) is CheckResult.UNCHANGED
    row = pending.dns_records.get(kind="ownership")
    assert (row.status, row.found) == ("wrong", "sendlayer-verification=of-somebody-else")


def test_records_of_operator_are_checked_as_well(nsd, pending, settings):
    settings.SPF_INCLUDE, settings.DKIM_CNAME = "spf.example.net", "sl1:sl1.dkim.example.net"
    nsd.put('spf TXT "v=spf1 ip4:192.0.2.1 -all"', zone="example.net")
    nsd.put(
        'sl TXT "v=spf1 redirect=_spf.example.com"',
        '_spf TXT "v=spf1 include:spf.example.net ~all"',
        "sl1._domainkey.sl CNAME sl1.dkim.example.net.",
        '_dmarc TXT "v=DMARC1; p=reject"',
    )
    check_now(pending, by=SYSTEM)
    assert dict(pending.dns_records.values_list("kind", "status")) == {
        "ownership": "missing",
        "spf": "verified",
        "dkim": "verified",
        "dmarc": "verified",
    }


def test_suspended_domain_is_authorized_only_after_it_is_resumed(nsd, pending):
    pending.suspend(by=SYSTEM)
    nsd.put(proof(pending))
    assert check_again(pending) is CheckResult.SUSPENDED
    assert status(pending) == "verified" and not pending.credentials.exists()
    assert Domain.objects.get().state == Domain.State.SUSPENDED and not Domain.objects.get().authorized_at
    pending.resume(by=SYSTEM)
    assert check_again(pending) is CheckResult.AUTHORIZED
    pending.suspend(by=SYSTEM)
    assert check_again(pending) is CheckResult.UNCHANGED
    assert Domain.objects.get().state == Domain.State.SUSPENDED


def test_name_in_two_accounts_is_authorized_for_the_one_that_proves_it(nsd, pending, carol):
    other = make_domain("sl.example.com", owner=carol, authorized=False)
    nsd.put(proof(pending))
    assert check_now(other, by=SYSTEM) is CheckResult.UNCHANGED
    assert check_now(pending, by=SYSTEM) is CheckResult.AUTHORIZED
    nsd.put(proof(pending), proof(other))
    assert check_again(other) is CheckResult.TAKEN
    assert status(other) == "verified" and not other.credentials.exists()
    assert Domain.objects.get(authorized_at__isnull=False) == pending


def test_second_check_within_ten_seconds_sends_no_query(fake, pending, short_timeouts):
    check_now(pending, by=SYSTEM)
    asked = len(fake.names)
    for domain in (pending, Domain.objects.get()):
        with pytest.raises(TooSoon):
            check_now(domain, by=SYSTEM)
    assert len(fake.names) == asked


def test_dns_outage_changes_nothing(proved, fake, short_timeouts):
    checked_at = proved.dns_records.get(kind="ownership").checked_at
    assert check_again(proved) is CheckResult.UNCHANGED
    row = proved.dns_records.get(kind="ownership")
    assert (row.status, row.checked_at) == ("verified", checked_at) and row.failed_at
    assert "could not be checked: the DNS resolver did not answer in time" in row.message
    assert status(proved, "dmarc") == "unknown"
    assert not Domain.objects.get().ownership_gone_at and not delivered()


def test_broken_zone_is_not_reported_as_missing_record(nsd, alice):
    domain = make_domain("shop.broken.test", owner=alice, authorized=False)
    assert check_now(domain, by=SYSTEM) is CheckResult.UNCHANGED
    assert status(domain) == "unknown"


def test_lost_proof_is_reported_once_and_domain_keeps_sending(proved, nsd, bob):
    proved.memberships.create(user=bob, role="viewer")
    nsd.empty()
    assert [check_again(proved) for _ in range(3)] == [
        CheckResult.PROOF_GONE,
        CheckResult.UNCHANGED,
        CheckResult.UNCHANGED,
    ]
    domain = Domain.objects.get()
    assert domain.has_lost_ownership and domain.is_authorized
    (message,) = delivered()
    assert message.to == ["alice@example.com"]
    assert "Hostname: _sendlayer.sl.example.com\n" in message.body
    assert f"Value: sendlayer-verification={domain.verification_token}\n" in message.body
    assert "http://127.0.0.1:8000/domains/sl.example.com/settings/dns/" in message.body
    nsd.put(proof(domain))
    assert [check_again(proved) for _ in range(2)] == [CheckResult.PROOF_BACK, CheckResult.UNCHANGED]
    assert not Domain.objects.get().ownership_gone_at
    tags = Event.objects.filter(tag__startswith="domain.ownership").order_by("pk")
    assert list(tags.values_list("tag", flat=True)) == ["domain.ownership_gone", "domain.ownership_back"]


def test_domain_without_earlier_proof_has_not_lost_it(nsd, alice):
    domain = make_domain("by-operator.example.com", owner=alice)
    assert check_now(domain, by=SYSTEM) is CheckResult.UNCHANGED
    assert not Domain.objects.get().ownership_gone_at


def answering(rcode):
    def answer(query, wire):
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(rcode)
        return [response.to_wire()]

    return answer


@pytest.mark.parametrize("position", [0, 1])
def test_one_lying_resolver_raises_no_alarm(proved, nsd, settings, position):
    with FakeResolver(answering(dns.rcode.NXDOMAIN)) as liar:
        settings.DNS_RESOLVERS.insert(position, liar.address)
        assert check_again(proved) is CheckResult.UNCHANGED
    assert status(proved) == "verified"


def test_proof_is_lost_only_when_every_resolver_answers_so(proved, nsd, settings, short_timeouts):
    nsd.empty()
    with FakeResolver() as silent:
        settings.DNS_RESOLVERS.append(silent.address)
        assert check_again(proved) is CheckResult.UNCHANGED
        assert status(proved) == "verified"
        silent.answer = answering(dns.rcode.NXDOMAIN)
        assert check_again(proved) is CheckResult.PROOF_GONE


def test_nothing_is_stored_when_event_cannot_be_written(nsd, pending, monkeypatch):
    nsd.put(proof(pending))

    def refuse(*args, **kwargs):
        raise RuntimeError("disk full")

    monkeypatch.setattr("audit.record", refuse)
    with pytest.raises(RuntimeError):
        check_now(pending, by=SYSTEM)
    domain = Domain.objects.get()
    assert not domain.authorized_at and not domain.checked_at and not domain.dns_records.exists()


@pytest.mark.django_db(transaction=True)
def test_concurrent_checks_issue_one_credential(nsd, pending):
    nsd.put(proof(pending))
    barrier = Barrier(2)

    def run(_):
        domain = Domain.objects.get(pk=pending.pk)
        try:
            barrier.wait(10)
            return check.check(domain, by=SYSTEM)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, range(2)))
    assert sorted(outcome.name for outcome in outcomes) == ["AUTHORIZED", "UNCHANGED"]
    assert pending.credentials.count() == Event.objects.filter(tag="domain.authorized").count() == 1


@pytest.mark.django_db(transaction=True)
def test_check_domains_checks_authorized_and_new_domains(nsd, alice, carol, capsys):
    new, gone, old, other = (
        make_domain(f"{name}.example.com", owner=owner, authorized=False)
        for name, owner in (("new", alice), ("gone", alice), ("old", alice), ("gone", carol))
    )
    nsd.put(proof(gone))
    check_now(gone, by=SYSTEM)
    Domain.objects.update(check_started_at=None)
    Domain.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    nsd.put(proof(new), proof(old), proof(other))
    call_command("check_domains")
    lines = sorted(capsys.readouterr().out.splitlines())
    assert lines == [
        "3 domains checked, 2 changed",
        "gone.example.com has lost its ownership record; its owners have been notified, and it still sends",
        "gone.example.com is proved, but authorized in another account",
        "new.example.com has been authorized",
    ]
    assert [message.to for message in delivered()] == [["alice@example.com"]]
    assert Event.objects.get(tag="domain.ownership_gone").actor_name == "check_domains"
    call_command("check_domains")
    assert re.fullmatch(
        r"0 domains checked, 0 changed, 3 skipped: checked a moment ago\n", capsys.readouterr().out
    )
