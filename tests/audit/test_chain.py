"""Every event is a link of its domain's chain: numbered, with a digest that covers the previous one."""

import time
from contextlib import suppress
from functools import partial

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

import audit
from audit import chain
from audit.actor import Actor
from audit.models import ChainKey, Event
from domains.general import actions as general
from domains.models import Domain
from tests.audit.tampering import make_events, verify
from tests.factories import SYSTEM, make_credential, make_domain, make_user
from tests.http import at_once, smtp_url
from vault import cipher

pytestmark = pytest.mark.django_db
# SQLite has one writer at a time: its transactions are IMMEDIATE.
on_postgresql = pytest.mark.postgresql


def numbers(domain):
    return list(Event.objects.filter(domain=domain).order_by("pk").values_list("number", flat=True))


def test_each_domain_has_its_own_chain(domain):
    other = make_domain("other.example.com")
    make_events(domain, 3)
    audit.record("account.renamed", by=SYSTEM)
    make_events(other, 2)
    audit.record("account.renamed", by=SYSTEM)
    assert numbers(domain) == [1, 2, 3, 4] and numbers(other) == [1, 2, 3] and numbers(None) == [1, 2]
    assert verify().faults == []


def test_digests_match_stored_events(as_alice, domain):
    credential = make_credential(domain)
    agent = {"User-Agent": "Firefox “ü” <x>", "Accept": "text/plain"}
    as_alice.post(smtp_url(credential, "copy"), headers=agent, REMOTE_ADDR="2001:DB8:0::1")
    as_alice.post(smtp_url(credential, "label"), {"label": "متجر 👨‍👩‍👧 ' \\"})
    as_alice.post(smtp_url(credential, "networks"), {"networks": "10.0.0.0/8\n2001:db8::/32"})
    credential.suspend(by=SYSTEM, reason="a\u2028b")
    assert Event.objects.filter(ip="2001:db8::1").exists()
    assert verify().faults == []


@pytest.mark.parametrize("ip", ["::1.2.3.4", "2001:db8:0:0:1:0:0:1", "203.0.113.7", None])
def test_ip_address_has_the_same_digest_on_either_database(domain, ip):
    audit.record("domain.renamed", by=Actor("x", ip=ip), domain=domain)
    assert verify().faults == []


def test_fractions_in_event_data_are_refused(domain):
    with pytest.raises(TypeError):
        audit.record("domain.renamed", by=SYSTEM, domain=domain, data={"deep": [1e16]})


def test_deleting_domain_or_person_changes_no_event(domain, credential):
    gone = make_user("gone@example.com")
    audit.record("domain.renamed", by=Actor(gone.email, gone), domain=domain)
    before = list(Event.objects.order_by("pk").values())
    gone_id, domain_id = gone.pk, domain.pk
    gone.delete()
    general.delete(domain, by=SYSTEM)
    after = list(Event.objects.order_by("pk").values())
    assert after[:-1] == before and after[-1]["tag"] == "domain.deleted"
    assert {event["domain_id"] for event in after} == {domain_id} and after[-2]["actor_id"] == gone_id
    assert verify().faults == []


def test_domain_added_again_starts_a_new_chain(as_alice, alice, domain):
    general.delete(domain, by=SYSTEM)
    again = Domain.objects.add("sl.example.com", by=Actor(alice.email, alice))
    assert again.pk != domain.pk and numbers(again) == [1]
    assert [event.tag for event in Event.objects.for_page(again)] == ["domain.added"]
    assert as_alice.get("/domains/sl.example.com/activity/").status_code == 200
    assert verify("--domain", "sl.example.com").faults == []


def test_database_refuses_two_events_of_one_number(domain):
    for where in (domain, None):
        event = audit.record("x", by=SYSTEM, domain=where)
        event.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            event.save(force_insert=True)


def test_chains_survive_new_keys(settings, domain):
    make_events(domain, 2)
    settings.SECRET_KEY = "another" * 10
    old = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = f"k2:{cipher.new_key()},{old}"
    key = ChainKey.objects.get()
    fresh = cipher.seal(
        cipher.open(key.sealed, associated_data=chain.ASSOCIATED_DATA), associated_data=chain.ASSOCIATED_DATA
    )
    ChainKey.objects.update(sealed=fresh)
    make_events(domain, 2)
    settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS.split(",")[0]
    chain.open_key.cache_clear()
    assert verify().faults == [] and numbers(domain) == [1, 2, 3, 4, 5]


def test_recording_takes_few_queries(domain, django_assert_num_queries):
    make_events(domain, 1)
    with django_assert_num_queries(3 if connection.vendor == "postgresql" else 2):
        make_events(domain, 1)


@pytest.mark.django_db(transaction=True)
def test_concurrent_acts_make_one_chain(domain):
    credentials = [make_credential(domain) for _ in range(3)]
    acts = [partial(credential.reset_password, by=SYSTEM) for credential in credentials]
    acts += [lambda: domain.credentials.issue(by=SYSTEM), lambda: credentials[0].suspend(by=SYSTEM)]
    acts += [lambda: audit.record("domain.renamed", by=SYSTEM, domain=domain)] * 3
    at_once(*acts)
    assert numbers(domain) == list(range(1, 13))
    assert verify().faults == []


@pytest.mark.django_db(transaction=True)
def test_concurrent_first_events_share_one_key():
    at_once(*[lambda: audit.record("account.renamed", by=SYSTEM)] * 4)
    assert ChainKey.objects.count() == 1 and numbers(None) == [1, 2, 3, 4]
    assert verify().faults == []


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_acts_wait_only_for_acts_in_the_same_domain(domain):
    other = make_domain("other.example.com")

    def slow():
        with transaction.atomic():
            audit.record("x", by=SYSTEM, domain=domain)
            time.sleep(0.6)
            return timezone.now()

    def quick(where):
        time.sleep(0.2)
        audit.record("x", by=SYSTEM, domain=where)
        return timezone.now()

    held_until, elsewhere, same = at_once(slow, lambda: quick(other), lambda: quick(domain))
    assert elsewhere < held_until < same
    assert verify().faults == []


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("below", ["credentials", "invitations"])
def test_deleting_domain_beside_an_act_below_it_does_not_deadlock(domain, credential, below):
    domain.invitations.create(email="x@example.com", role="viewer", expires_at=timezone.now())

    def act():
        with transaction.atomic():
            getattr(domain, below).update(created_at=timezone.now())
            time.sleep(0.6)  # the deletion has come to these rows
            audit.record("x", by=SYSTEM, domain=domain)

    at_once(act, lambda: time.sleep(0.2) or general.delete(domain, by=SYSTEM))
    tags = Event.objects.filter(domain=domain.pk).order_by("number").values_list("tag", flat=True)
    assert list(tags)[-2:] == ["x", "domain.deleted"] and verify().faults == []


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_restore_records_while_others_wait_for_its_tables(domain):
    """While somebody changes a password, whose first lock is the one of its event."""

    def restore():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE")
            time.sleep(0.6)  # the other waits by now
            audit.record("system.restored", by=SYSTEM)

    at_once(restore, lambda: time.sleep(0.2) or audit.record("account.password_changed", by=SYSTEM))
    tags = Event.objects.filter(domain=None).order_by("number").values_list("tag", flat=True)
    assert list(tags) == ["system.restored", "account.password_changed"]


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_acts_on_credential_beside_deletion_of_its_domain_succeed_or_find_nothing(alice):
    def tried(call):
        with suppress(ObjectDoesNotExist):
            call(by=SYSTEM)

    for act in ("reset_password", "remove", "suspend") * 2:
        domain = make_domain(owner=alice)
        credential = make_credential(domain)
        at_once(partial(tried, getattr(credential, act)), partial(tried, partial(general.delete, domain)))
        assert not Domain.objects.exists()
    assert verify().faults == []
