"""The proof of a revocation: what each mail server is known to do, and the receipt."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.actor import Actor
from audit.models import Event
from credentials import bulk
from credentials.models import Heartbeat, Node, RefusalSeen
from tests.factories import SYSTEM, make_credential, make_domain, make_use, password_of
from tests.http import sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
POLL = 'hx-trigger="load delay'
LEASE = 5


def url(credential, event=None):
    event = event or Event.objects.filter(credential=credential.username).latest("pk")
    return smtp_url(credential, "page") + f"proof/{event.number}/"


def make_node(name="mail1", role=Node.Role.POSTFIX, *, replica=True, heartbeat=timedelta(0)):
    """A node that reported itself just now, with a heartbeat of a moment before."""
    now = timezone.now()
    Node.objects.report(name, role, version="1", has_replica=replica)
    node = Node.objects.get(name=name, role=role)
    Node.objects.filter(pk=node.pk).update(
        first_seen_at=now - timedelta(days=1),
        heartbeat_at=now - heartbeat if replica and heartbeat is not None else None,
    )
    Heartbeat.objects.update_or_create(defaults={"at": now, "lease_seconds": LEASE})
    return node


def committed(event, *, ago=timedelta(0), seen_by=None, after=timedelta(0)):
    """Note that an event was committed some time ago and, if a node is given, seen by it after that."""
    at = timezone.now() - ago
    RefusalSeen.objects.filter(event=event).delete()
    RefusalSeen.objects.create(event=event, node=None, seen_at=at)
    if seen_by:
        RefusalSeen.objects.create(event=event, node=seen_by, seen_at=at + after)


@pytest.fixture
def suspended(credential):
    """The event of a suspension."""
    credential.suspend(by=SYSTEM)
    return Event.objects.get(tag="credential.suspended")


@pytest.fixture
def proof(as_alice, credential, suspended):
    """Return the text of the page of that event."""
    return lambda: text(as_alice.get(url(credential, suspended)))


class TestPage:
    @pytest.mark.one_database
    @pytest.mark.parametrize(
        ("act", "title"),
        [
            (lambda it: it.suspend(by=SYSTEM), "SMTP user suspended"),
            (lambda it: it.reset_password(by=SYSTEM), "old password"),
            (lambda it: it.set_networks("192.0.2.1", by=SYSTEM), "all other networks"),
            (lambda it: it.domain.suspend(by=SYSTEM), "domain suspended"),
        ],
    )
    def test_page_of_smtp_user_shows_its_newest_revocation(self, as_alice, credential, act, title):
        page = smtp_url(credential, "page")
        assert "Revoked:" not in text(as_alice.get(page))
        act(credential)
        shown = text(as_alice.get(page))
        assert f"Revoked: {title}</h2>" in shown and POLL not in shown
        assert "No mail server has reported to this dashboard." in shown

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        "act",
        [
            lambda it: it.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1)),
            lambda it: (it.set_networks("192.0.2.1", by=SYSTEM), it.set_networks("", by=SYSTEM)),
            lambda it: it.rename("Shop", by=SYSTEM),
        ],
        ids=["rotation", "networks lifted", "label"],
    )
    def test_act_that_revokes_nothing_has_no_proof(self, as_alice, credential, act):
        act(credential)
        assert as_alice.get(url(credential)).status_code == 404

    @pytest.mark.one_database
    def test_deleted_one_leads_to_its_proof(self, as_alice, credential):
        page = smtp_url(credential, "page")
        credential.remove(by=SYSTEM)
        gone = as_alice.get(page)
        assert gone.status_code == 404 and f'href="{url(credential)}"' in text(gone)
        for leading in (
            smtp_url(credential.domain) + "deleted/",
            f"/domains/{credential.domain.name}/activity/",
        ):
            assert text(as_alice.get(leading)).count(f'href="{url(credential)}"') == 1
        shown = text(as_alice.get(url(credential)))
        assert "Revoked: SMTP user deleted</h2>" in shown and "Recently deleted" in shown

    @pytest.mark.one_database
    def test_page_forgets_a_reset_after_a_day_but_keeps_its_address(self, as_alice, credential):
        credential.reset_password(by=SYSTEM)
        page, of_event = smtp_url(credential, "page"), url(credential)
        before = timezone.now() - timedelta(hours=25)
        type(credential).objects.update(password_changed_at=before)
        Event.objects.update(at=before)
        shown = text(as_alice.get(page))
        assert "Revoked:" not in shown and f'href="{of_event}"' in shown
        assert as_alice.get(of_event).status_code == 200

    @pytest.mark.one_database
    def test_event_of_another_one_is_not_shown(self, as_alice, credential, suspended):
        other = make_credential(credential.domain)
        elsewhere = make_credential(make_domain("else.example.com"))
        assert as_alice.get(url(other, suspended)).status_code == 404
        assert as_alice.get(url(elsewhere, suspended)).status_code == 404
        assert as_alice.get(smtp_url(credential, "page") + "proof/999999999999999999/").status_code == 404


class TestNodes:
    @pytest.mark.one_database
    def test_servers_that_read_the_database_refuse_from_the_commit_on(self, proof):
        make_node("alpha", Node.Role.LISTENER, replica=False)
        make_node("beta", replica=False)
        shown = proof()
        said = "the dashboard’s database: refused from the commit on."
        assert shown.count(f"Reads {said}") == shown.count(f"Reports no replica, so it reads {said}") == 1
        assert "(421) at its next MAIL FROM" in shown and "(553 to its MAIL FROM" in shown
        assert POLL not in shown

    @pytest.mark.one_database
    def test_open_postfix_sessions_go_on_after_a_change_of_networks(self, as_alice, credential):
        make_node(replica=False)
        credential.set_networks("192.0.2.1", by=SYSTEM)
        assert "go on until they end" in text(as_alice.get(url(credential)))

    def test_node_that_has_seen_it(self, proof, suspended):
        committed(suspended, seen_by=make_node(), after=timedelta(milliseconds=211, microseconds=1))
        shown = proof()
        assert "Refused within 212 ms." in shown and POLL not in shown

    @pytest.mark.one_database
    def test_node_that_saw_it_before_the_commit_was_answered(self, proof, suspended):
        committed(suspended, seen_by=make_node(), after=-timedelta(milliseconds=3))
        assert "Refused at once." in proof()

    def test_node_that_has_not_answered_has_a_lease(self, proof, suspended):
        make_node()
        committed(suspended, ago=timedelta(seconds=2))
        shown = proof()
        ends = RefusalSeen.objects.get().seen_at + timedelta(seconds=LEASE + 1)
        assert f'Its lease ends at <time datetime="{ends.isoformat(timespec="seconds")}"' in shown
        assert POLL in shown

    def test_poll_ends_with_the_lease(self, proof, suspended):
        make_node()
        committed(suspended, ago=timedelta(seconds=LEASE + 2))
        shown = proof()
        assert "Its lease ended at" in shown and POLL not in shown

    @pytest.mark.one_database
    def test_without_a_note_of_the_commit_the_lease_is_counted_from_now(self, proof, suspended):
        make_node()
        Event.objects.update(at=timezone.now() - timedelta(seconds=30))
        assert "Its lease ends at" in (shown := proof()) and POLL in shown
        Event.objects.update(at=timezone.now() - timedelta(seconds=70))
        assert "Its lease ends at" in (shown := proof()) and POLL not in shown

    @pytest.mark.one_database
    def test_replica_without_heartbeat_refuses_everything(self, proof, suspended):
        make_node(heartbeat=None)
        committed(suspended)
        assert "Refuses every login: its replica has no heartbeat" in (shown := proof()) and POLL not in shown

    @pytest.mark.one_database
    def test_node_that_was_set_up_later_is_left_out(self, proof, suspended):
        node = make_node("mail-new")
        committed(suspended)
        Node.objects.filter(pk=node.pk).update(first_seen_at=timezone.now() + timedelta(seconds=1))
        assert "mail-new" not in proof()

    @pytest.mark.one_database
    def test_many_nodes_are_summed_up(self, proof, suspended, django_assert_num_queries, as_alice, credential):
        committed(suspended)
        for number in range(30):
            node = make_node(f"mail{number}")
            RefusalSeen.objects.create(event=suspended, node=node, seen_at=timezone.now())
        make_node("slow")
        shown = proof()
        assert shown.index("<strong>slow</strong>") < shown.index("<strong>mail2")
        assert "21 more mail servers: none of them took longer." in shown
        # Session, person, domain, event, what was seen, nodes, last login.
        with django_assert_num_queries(7):
            as_alice.get(url(credential, suspended))

    @pytest.mark.one_database
    def test_poll_gets_the_block_alone(self, as_alice, credential, suspended):
        shown = text(as_alice.get(url(credential, suspended), headers={"HX-Request": "true"}))
        assert shown.lstrip().startswith("<section") and "<html" not in shown


class TestLastLogin:
    def test_last_accepted_login_is_shown(self, proof, credential, suspended):
        assert "None reported in the last 30 days" in proof()
        at = timezone.now() - timedelta(hours=3)
        make_use(credential, "192.0.2.7", at=at)
        make_use(credential, "192.0.2.8", at=at - timedelta(days=3))
        shown = proof()
        assert f"{at.isoformat(timespec='seconds')}" in shown and "from 192.0.2.7" in shown
        assert "After the commit" not in shown

    def test_login_after_the_commit_is_marked_until_it_was_taken_back(self, proof, credential, suspended):
        make_use(credential, at=timezone.now() + timedelta(seconds=1))
        assert "After the commit" in proof()
        credential.resume(by=SYSTEM)
        assert "After the commit" not in proof()

    def test_login_that_was_reported_after_the_deletion_is_counted(self, as_alice, credential):
        credential.remove(by=SYSTEM)
        make_use(credential, "192.0.2.7", at=timezone.now() - timedelta(seconds=1))
        assert "from 192.0.2.7" in text(as_alice.get(url(credential)))


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
class TestCommits:
    def test_commit_is_noted_where_replicas_have_to_replay_it(self, domain):
        first, *others = [make_credential(domain) for _ in range(3)]
        first.suspend(by=SYSTEM)
        assert not RefusalSeen.objects.exists()
        make_node()
        bulk.remove(domain, [one.username for one in others], by=SYSTEM)
        noted = RefusalSeen.objects.filter(node=None)
        assert [row.event.tag for row in noted] == ["credential.deleted"] * 2
        assert all(row.seen_at > row.event.at for row in noted)

    def test_act_that_is_rolled_back_leaves_no_note(self, credential):
        from django.db import transaction

        make_node()
        with transaction.atomic():
            credential.suspend(by=SYSTEM)
            transaction.set_rollback(True)
        credential.reset_password(by=SYSTEM)
        assert [row.event.tag for row in RefusalSeen.objects.all()] == ["credential.reset"]


class TestReceipt:
    @pytest.fixture
    def receipt(self, as_alice, credential, suspended):
        committed(suspended, seen_by=make_node(), after=timedelta(milliseconds=3))
        return as_alice.get(url(credential, suspended) + "receipt/")

    @pytest.fixture
    def verify(self, tmp_path, capsys):
        def verify(content):
            path = tmp_path / "receipt.json"
            path.write_text(content)
            call_command("verify_audit", receipt=str(path))
            return capsys.readouterr().out

        return verify

    def test_receipt_states_event_and_facts_and_no_secret(self, receipt, credential, suspended):
        shown = json.loads(receipt.content)
        assert receipt["Content-Disposition"].startswith('attachment; filename="revocation-sl.example.com-')
        assert (shown["event"]["number"], shown["event"]["digest"]) == (suspended.number, suspended.digest)
        (node,) = shown["facts"]["nodes"]
        assert (node["name"], node["state"], node["refused_within_ms"]) == ("mail1", "seen", 3)
        assert password_of(credential) not in text(receipt) and credential.verifier not in text(receipt)

    def test_receipt_is_verified(self, receipt, verify):
        assert verify(text(receipt)).startswith("Genuine, and in the chain: credential.suspended")

    @pytest.mark.parametrize("old", ['"mail1"', '"seen"', '"refused_within_ms": 3', "credential.suspended"])
    def test_changed_receipt_is_found(self, receipt, verify, old):
        new = old.replace("mail1", "mail2").replace("seen", "waiting").replace("3", "2").replace("susp", "exp")
        with pytest.raises(CommandError, match="the signature is wrong"):
            verify(text(receipt).replace(old, new, 1))

    @pytest.mark.one_database
    def test_event_that_the_database_lost_is_reported(self, receipt, verify):
        Event.objects.filter(tag="credential.suspended").delete()
        with pytest.raises(CommandError, match="has no such event"):
            verify(text(receipt))

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        "content", ["", "[]", "{}", "[" * 3000, '{"format": "sendlayer receipt 1"}', "1" * 1_000_001]
    )
    def test_other_text_is_no_receipt(self, credential, verify, content):
        with pytest.raises(CommandError, match="it is not|it holds no"):
            verify(content)

    @pytest.mark.one_database
    def test_note_for_support_is_withheld(self, as_alice, credential, verify):
        credential.suspend(by=Actor("support", note="ticket 17"), reason="Spam", as_support=True)
        receipt = text(as_alice.get(url(credential) + "receipt/"))
        assert "ticket 17" not in receipt and "Spam" in receipt
        assert "Genuine" in verify(receipt)

    @pytest.mark.one_database
    def test_viewer_sees_the_proof_without_the_receipt(self, client, bob, credential, suspended):
        shown = text(sign_in(client, bob).get(url(credential, suspended)))
        assert "Revoked:" in shown and "receipt" not in shown
