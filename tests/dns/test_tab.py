"""The DNS Records tab and Verify, through HTTP, on a real DNS."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import dns.message
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from audit.models import Event
from domains.models import CHECK_EVERY, CHECK_TIMEOUT, Domain
from domains.verification import background
from domains.verification.check import check_now
from tests.dns.server import proof
from tests.factories import SYSTEM, make_domain
from tests.http import text
from web.workers import Workers

TAB = "/domains/sl.example.com/settings/dns/"
VERIFY = f"{TAB}verify/"
HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def pending(alice):
    return make_domain("sl.example.com", owner=alice, authorized=False)


@pytest.fixture
def wait_for_checks(transactional_db):
    """Return a function that waits until the checks have ended."""

    def wait():
        for thread in threading.enumerate():
            if thread.name == background.THREAD_NAME:
                thread.join(20)

    yield wait
    wait()


@pytest.fixture
def verify(client, alice, wait_for_checks, pending):
    """Return a function that presses Verify as Alice and returns the tab after the check."""
    client.force_login(alice)

    def verify():
        Domain.objects.update(check_started_at=None)
        assert client.post(VERIFY)["Location"] == TAB
        wait_for_checks()
        return text(client.get(TAB))

    return verify


def row(page, kind):
    """The text of a record's row."""
    html = re.search(rf'<tr id="dns-{kind}">(.*?)</tr>', page, re.S)[1]
    return " ".join(re.sub(r"<[^>]+>", " ", html.replace("<wbr>", "")).split())


def test_tab_shows_expected_records_before_first_check(as_alice, pending, settings):
    settings.SPF_INCLUDE, settings.DKIM_CNAME = "spf.example.net", "sl1:sl1.dkim.example.net"
    settings.RETURN_PATH_CNAME = "bounces:bounces.example.net"
    page = text(as_alice.get(TAB))
    value = f"sendlayer-verification={pending.verification_token}"
    assert row(page, "ownership") == (
        f"TXT Ownership Required _sendlayer.sl Full name _sendlayer.sl.example.com {value} 3600 Not checked yet"
    )
    assert f'data-copy="{value}"' in page and 'data-copy="_sendlayer.sl.example.com"' in page
    kinds = re.findall(r'<tr id="dns-(\w+)"', page)
    assert kinds == ["ownership", "spf", "dkim", "return_path", "dmarc"]
    assert row(page, "dkim").startswith("CNAME DKIM Recommended sl1._domainkey.sl Full name")
    assert "If your provider manages <code>sl.example.com</code> as a zone of its own" in page


@pytest.mark.parametrize(
    ("name", "zone", "label"),
    [
        ("sl.example.com", "example.com", "_sendlayer.sl"),
        ("delegated.example.com", "delegated.example.com", "_sendlayer"),
        ("a.delegated.example.com", "delegated.example.com", "_sendlayer.a"),
    ],
)
def test_label_is_of_the_zone_that_verify_found(nsd, verify, client, alice, name, zone, label):
    domain = Domain.objects.filter(name=name).first() or make_domain(name, owner=alice, authorized=False)
    check_now(domain, by=SYSTEM)
    page = text(client.get(f"/domains/{name}/settings/dns/"))
    assert f"where you edit the DNS zone <code>{zone}</code>" in page and "as a zone of its own" not in page
    assert f'data-copy="{label}"' in page and f'data-copy="_sendlayer.{name}"' in page


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ("_sendlayer TXT {proof}", "The record is at _sendlayer.example.com."),
        ("_sendlayer.sl.example.com TXT {proof}", "The record is at _sendlayer.sl.example.com.example.com."),
        ("_sendlayer.sl.example.com.sl TXT {proof}", "at _sendlayer.sl.example.com.sl.example.com."),
    ],
)
def test_misplaced_proof_is_named_with_what_to_enter(nsd, verify, pending, record, sentence):
    nsd.put(record.format(proof=f'"sendlayer-verification={pending.verification_token}"'))
    page = verify()
    assert sentence in row(page, "ownership") and "enter only _sendlayer" in row(page, "ownership")
    assert not Domain.objects.get().authorized_at


def test_wildcard_in_zone_is_left_alone_and_site_is_kept(nsd, verify, settings):
    settings.DKIM_CNAME = "sl1:sl1.dkim.example.net"
    nsd.put("* CNAME shop.example.net.")
    nsd.put("shop A 192.0.2.1", zone="example.net")
    page = verify()
    for kind in ("ownership", "dkim", "dmarc"):
        assert "leave that, and just add this one." in row(page, kind)
    assert "sl.example.com seems to get its address from a wildcard record" in row(page, "ownership")
    nsd.put("* A 192.0.2.1", "sl1._domainkey.sl A 192.0.2.2")
    page = verify()
    assert "switch the proxy off" in row(page, "dkim")
    # The wildcard doesn't cover a name that has others below it.
    assert "seems to get its address from a wildcard record" not in row(page, "ownership")


def test_verify_authorizes_proved_domain(nsd, verify, pending):
    page = verify()
    assert "There is no TXT record at this hostname." in row(page, "ownership")
    nsd.put(proof(pending))
    page = verify()
    assert "Verified Just now" in row(page, "ownership")
    assert "This domain is authorized." in page and "/settings/smtp/" in page
    assert pending.credentials.count() == 1
    event = Event.objects.get(tag="domain.authorized")
    assert (event.actor_name, event.ip) == ("alice@example.com", "127.0.0.1")


def test_found_values_are_shown_beside_expected_ones(nsd, verify, pending, settings):
    settings.SPF_INCLUDE = "spf.example.net"
    hostile = r"<img src=x onerror=alert(1)>\027[31m"
    nsd.put('spf TXT "v=spf1 -all"', zone="example.net")
    nsd.put(f'_sendlayer.sl TXT "{hostile}"', 'sl TXT "v=spf1 mx -all"')
    page = verify()
    assert "Wrong Just now" in row(page, "ownership") and escape(hostile) in page and "<img" not in page
    assert "Found instead v=spf1 mx -all" in row(page, "spf")
    assert 'data-copy="v=spf1 include:spf.example.net mx -all"' in page


def test_hundreds_of_records_are_shown_shortened(nsd, verify):
    nsd.put(*(f'_sendlayer.sl TXT "{number} {"x" * 200}"' for number in range(200)))
    page = verify()
    assert "… and 195 more" in row(page, "ownership") and len(page) < 30_000


def test_dns_outage_is_reported_and_keeps_authorization(nsd, verify, pending, fake, short_timeouts, settings):
    fake_address, settings.DNS_RESOLVERS = settings.DNS_RESOLVERS, [nsd.address]
    nsd.put(proof(pending))
    verify()
    settings.DNS_RESOLVERS = fake_address
    page = verify()
    assert "Verified Just now Could not check Just now" in row(page, "ownership")
    assert "did not answer in time" in row(page, "ownership") and "Could not check" in row(page, "dmarc")
    assert "This domain is authorized." in page


def test_neither_page_nor_verify_waits_for_dns(client, alice, pending, fake, wait_for_checks):
    client.force_login(alice)
    fake.held.clear()
    fake.answer = lambda query, wire: [dns.message.make_response(query, recursion_available=True).to_wire()]
    assert "Checking the DNS" not in text(client.get(TAB))
    panel = client.post(VERIFY, headers=HTMX)
    assert panel.status_code == 200 and "Checking the DNS" in text(panel) and "Checking…" in text(panel)
    assert client.get(TAB, headers=HTMX).status_code == 204
    assert '<noscript><meta http-equiv="refresh"' in text(client.get(TAB))
    assert "Checking the DNS" in text(client.post(VERIFY, headers=HTMX))
    assert not pending.dns_records.exists()
    fake.held.set()
    wait_for_checks()
    assert "Missing" in text(client.get(TAB, headers=HTMX))
    assert "Checking the DNS" not in text(client.get(TAB))


def test_hundred_verify_requests_start_one_check(
    client, alice, pending, fake, wait_for_checks, short_timeouts, monkeypatch
):
    monkeypatch.setattr(
        "domains.models.domain.CHECK_EVERY", timedelta(hours=1)
    )  # a hundred may take ten seconds
    client.force_login(alice)
    for _ in range(100):
        client.post(VERIFY)
    wait_for_checks()
    # Twice each, since the resolver is silent; the domain itself for its zone.
    names = ["_sendlayer.sl.example.com", "sl.example.com", "_dmarc.sl.example.com"]
    assert sorted(fake.names) == sorted(names * 2)


def test_concurrent_verify_requests_start_one_check_and_issue_one_credential(
    nsd, alice, pending, wait_for_checks
):
    nsd.put(proof(pending))
    barrier = threading.Barrier(2)

    def press(_):
        client = Client()
        client.force_login(alice)
        barrier.wait(10)
        try:
            return client.post(VERIFY, headers=HTMX).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(press, range(2))) <= {200, 409}
    wait_for_checks()
    assert pending.credentials.count() == Event.objects.filter(tag="domain.authorized").count() == 1


def test_verify_too_soon_says_how_long_to_wait(client, alice, pending, wait_for_checks):
    client.force_login(alice)
    now = timezone.now()
    Domain.objects.update(check_started_at=now - CHECK_EVERY * 0.4, checked_at=now)
    assert "Wait 6 seconds, then press Verify again." in text(client.post(VERIFY, follow=True))
    answer = client.post(VERIFY, headers=HTMX)
    assert answer.status_code == 409 and "Wait 6 seconds" in text(answer)
    assert "hx-get" not in text(answer)


def test_too_many_concurrent_checks_are_refused(client, alice, pending, monkeypatch, wait_for_checks):
    client.force_login(alice)
    workers, held = Workers("held", threads=1), threading.Event()
    monkeypatch.setattr(background, "_workers", workers)
    workers.submit(held.wait)
    assert "Too many domains are being checked." in text(client.post(VERIFY, headers=HTMX))
    held.set()
    assert Domain.objects.get().check_started_at is None


def test_check_of_dead_process_is_shown_as_interrupted(as_alice, pending):
    Domain.objects.update(check_started_at=timezone.now() - CHECK_TIMEOUT)
    page = text(as_alice.get(TAB))
    assert "The last check was interrupted" in page and "Checking the DNS" not in page


def test_crashed_check_frees_its_thread_and_changes_nothing(verify, monkeypatch, caplog):
    monkeypatch.setattr("domains.verification.check.look_up", lambda *_: 1 / 0)
    for _ in range(background.MOST_CHECKS + 1):
        verify()
    assert "Checking the DNS of sl.example.com failed" in caplog.text
    assert Domain.objects.get().checked_at is None


def test_authorization_in_other_account_is_shown_only_after_proof(nsd, verify, pending, carol):
    holder = make_domain("sl.example.com", owner=carol, authorized=False)
    holder.authorize(by=SYSTEM)
    assert "another account" not in verify()
    nsd.put(proof(pending))
    page = verify()
    assert "it's authorized in another account on this server" in page
    assert "Verified" in row(page, "ownership") and "This domain is authorized." not in page


def test_result_for_previous_expected_value_is_not_shown(nsd, verify, client, settings):
    nsd.put('old TXT "v=spf1 -all"', 'new TXT "v=spf1 -all"', zone="example.net")
    settings.SPF_INCLUDE = "old.example.net"
    assert "Missing" in row(verify(), "spf")
    settings.SPF_INCLUDE = "new.example.net"
    assert "Not checked yet" in row(text(client.get(TAB)), "spf")


def test_htmx_gets_state_dot_and_toast_with_result(nsd, client, verify, pending):
    nsd.put(proof(pending))
    verify()
    answer = text(client.get(TAB, {"state": "pending"}, headers=HTMX))
    assert '<span id="domain-dot" class="dot authorized" aria-hidden="true" hx-swap-oob="true">' in answer
    assert "Domain authorized." in answer and answer.lstrip().startswith('<section class="card" id="dns">')
    assert "Domain authorized." not in text(client.get(TAB, {"state": "authorized"}, headers=HTMX))


def test_lost_proof_is_shown_on_every_page(as_alice, domain):
    assert domain.note_ownership_gone(by=SYSTEM) and not domain.note_ownership_gone(by=SYSTEM)
    activity = text(as_alice.get("/domains/sl.example.com/activity/"))
    assert "found that the DNS record that proves ownership is missing" in activity
    for path in ("/domains/", "/domains/sl.example.com/"):
        assert "Ownership record gone" in text(as_alice.get(path))
    assert "The ownership record has been gone since" in text(as_alice.get(TAB))
    assert 'class="dot authorized warned"' in text(as_alice.get(TAB))
    assert "ownership record gone" in text(as_alice.get("/domains/menu/"))


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("manager", 302), ("owner", 302), (None, 404)])
def test_managers_and_owners_can_verify(
    client, fake, bob, domain, role, status, wait_for_checks, short_timeouts
):
    domain.memberships.filter(user=bob).delete()
    if role:
        domain.memberships.create(user=bob, role=role)
    client.force_login(bob)
    assert client.post(VERIFY).status_code == status
    wait_for_checks()
    assert bool(fake.names) == (status == 302)


def test_viewer_sees_tab_without_verify(client, bob, domain):
    client.force_login(bob)
    page = text(client.get(TAB))
    assert "_sendlayer.sl.example.com" in page and VERIFY not in page


def test_get_starts_no_check(as_alice, fake, pending):
    assert as_alice.get(VERIFY)["Location"] == TAB
    as_alice.get(TAB), as_alice.get(TAB, headers=HTMX)
    assert fake.names == [] and Domain.objects.get().check_started_at is None


def test_queries_of_tab_do_not_grow_with_found_values(client, alice, nsd, verify, settings, pending):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            client.get(TAB)
        return len(queries)

    before = cost()
    settings.SPF_INCLUDE, settings.DKIM_CNAME = "spf.example.net", "sl1:sl1.dkim.example.net"
    nsd.put(proof(pending), *(f'_dmarc.sl TXT "{number}"' for number in range(50)))
    verify()
    assert cost() == before <= 6
