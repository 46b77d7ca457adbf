"""Mail servers in the admin and in /metrics, and the proof of a revocation for support."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.models import Event
from credentials.models import Heartbeat, Node, RefusalSeen
from tests.factories import SYSTEM
from tests.http import sign_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LIST = "/admin/credentials/node/"
EMPTY = "No mail server has reported yet."


@pytest.fixture
def as_root(client, root):
    return sign_in(client, root)


@pytest.fixture
def nodes(credential):
    """One with a replica that is 2 s behind and lacks a revocation, and a listener."""
    Heartbeat.objects.create(at=timezone.now(), lease_seconds=5)
    for name, role, replica in (("mail1", "postfix", True), ("mx", "listener", False)):
        Node.objects.report(name, role, version="0.9", has_replica=replica)
    long_ago = timezone.now() - timedelta(hours=1)
    last = Node.objects.get(name="mail1").last_seen_at
    Node.objects.update(first_seen_at=long_ago)
    Node.objects.filter(name="mail1").update(heartbeat_at=last - timedelta(seconds=2))
    credential.suspend(by=SYSTEM)
    return Node.objects.get(name="mail1"), Node.objects.get(name="mx")


def test_nodes_are_listed_with_lag_lease_and_what_is_not_confirmed(as_root, nodes):
    page = text(as_root.get(LIST))
    assert "mail1" in page and "2.0 s" in page and 'field-unconfirmed">1<' in page
    assert "Built-in listener" in page and "No replica" in page and "No lease" in page and EMPTY not in page
    RefusalSeen.objects.create(
        event=Event.objects.get(tag="credential.suspended"), node=nodes[0], seen_at="2026-01-01T00:00Z"
    )
    assert 'field-unconfirmed">0<' in text(as_root.get(LIST))
    assert "A replica on its machine" in text(as_root.get(f"{LIST}{nodes[0].pk}/change/"))


def test_clock_that_is_behind_lengthens_the_lease(as_root, nodes):
    Node.objects.filter(name="mail1").update(clock_behind=timedelta(milliseconds=40))
    assert "Right" in text(as_root.get(LIST))
    before = Node.objects.with_lease().get(name="mail1").lease_ends_at
    Node.objects.filter(name="mail1").update(clock_behind=timedelta(seconds=3))
    assert "3.0 s behind: it refuses logins" in text(as_root.get(LIST))
    assert Node.objects.with_lease().get(name="mail1").lease_ends_at == before + timedelta(seconds=2)


def test_empty_list_says_who_reports(as_root):
    assert EMPTY in text(as_root.get(LIST))


def test_node_is_removed_with_a_reason_and_an_event(as_root, nodes):
    form = {"action": "remove", "_selected_action": [nodes[0].pk]}
    asked = as_root.post(LIST, form)
    assert Node.objects.count() == 2 and "taken out of service" in text(asked)
    as_root.post(LIST, form | {"reason": "Machine sold"})
    assert Node.objects.get() == nodes[1]
    event = Event.objects.get(tag="node.removed")
    assert event.data == {"node": "mail1", "role": "postfix", "reason": "Machine sold"}


def test_tidy_forgets_what_was_confirmed_and_silent_nodes_without_replica(nodes):
    event = Event.objects.get(tag="credential.suspended")
    RefusalSeen.objects.create(event=event, node=nodes[0], seen_at=timezone.now() - timedelta(days=91))
    RefusalSeen.objects.create(event=event, node=nodes[1], seen_at=timezone.now() - timedelta(days=89))
    call_command("tidy")
    assert RefusalSeen.objects.get().node == nodes[1] and Node.objects.count() == 2
    Node.objects.update(last_seen_at=timezone.now() - timedelta(days=8))
    call_command("tidy")
    assert Node.objects.get() == nodes[0]


def test_support_sees_no_nodes_but_proof_and_receipt(as_sam, nodes):
    event = Event.objects.get(tag="credential.suspended")
    assert as_sam.get(LIST).status_code == 403
    page = text(as_sam.get(f"/admin/audit/event/{event.pk}/change/"))
    receipt = f"/admin/credentials/node/receipt/{event.pk}/"
    assert "Not confirmed. Lease ends" in page and "from the commit on" in page and receipt in page
    assert as_sam.get(receipt).json()["event"]["digest"] == event.digest
    created = Event.objects.get(tag="credential.created")
    assert as_sam.get(f"/admin/credentials/node/receipt/{created.pk}/").status_code == 404
    assert "Download receipt" not in text(as_sam.get(f"/admin/audit/event/{created.pk}/change/"))


@pytest.mark.django_db(transaction=True)  # they are counted in a thread
def test_figures_of_each_node_are_in_metrics(client, nodes):
    lines = text(client.get("/metrics")).splitlines()
    found = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in lines
        if "sendlayer_node" in line[:14]
    }
    label = '{node="mail1",role="postfix"}'
    assert found[f"sendlayer_node_lag_seconds{label}"] == 2
    assert 0 < found[f"sendlayer_node_lease_seconds{label}"] <= 4
    assert found[f"sendlayer_node_last_seen_timestamp_seconds{label}"] == nodes[0].last_seen_at.timestamp()
    assert 'sendlayer_node_last_seen_timestamp_seconds{node="mx",role="listener"}' in found and len(found) == 4
