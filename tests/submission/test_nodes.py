"""Mail servers that report themselves: `manage.py reports` with and without a replica, and the listener."""

import http.client
import json
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from audit.models import Event
from credentials.models import Heartbeat, LoginDay, Node, RefusalSeen
from credentials.outcome import Outcome
from credentials.usage.tally import Tally
from credentials.usage.writer import has_committed
from tests import servers
from tests.factories import SYSTEM, make_credential
from tests.http import at_once, smtp_url, text
from tests.mail.reports import reporting, serving
from tests.replicas import primary_with_standbys
from tests.submission.clients import wait_until
from tests.with_postgres import FAST

pytestmark = pytest.mark.django_db(transaction=True)
CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def node(name, **columns):
    return Node.objects.filter(name=name, **columns).first()


@contextmanager
def report_server(folder, name, **environment):
    """Run `manage.py reports` as this node; yield its ports and secret."""
    to = reporting("")
    with serving(to, folder / f"{name}.log", NODE_NAME=name, **environment):
        yield to


def report_logins(to, credential, ip, number):
    """Report accepted logins as Dovecot does, on one connection."""
    body = json.dumps(
        {"login": credential.username, "session": f"{credential.username}.1", "remote": ip, "success": True}
    )
    client = http.client.HTTPConnection("127.0.0.1", to.port, timeout=60)
    for _ in range(number):
        client.request("POST", "/?command=report", body, {"Authorization": f"Bearer {to.secret}"})
        response = client.getresponse()
        assert response.read() and response.status == 200
    client.close()


def counted(credential):
    rows = LoginDay.objects.filter(username=credential.username, outcome=Outcome.ACCEPTED)
    return dict(rows.values_list("ip", "count"))


def test_listener_reports_itself(start_listener):
    with start_listener(NODE_NAME="mx-listener"):
        found = wait_until(lambda: node("mx-listener"))
    assert (found.role, found.version, found.has_replica) == ("listener", settings.VERSION, False)
    assert found.lag is None and found.heartbeat_at is None


@pytest.fixture(scope="module")
def two_servers(django_db_setup, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    with report_server(folder, "mail1") as first, report_server(folder, "mail2") as second:
        yield first, second


class TestTwoServers:
    def test_what_both_count_concurrently_adds_up(self, two_servers, credential):
        others = [make_credential(credential.domain) for _ in range(3)]
        before = timezone.now()

        def report(to):
            for one in (credential, *others):
                report_logins(to, one, "192.0.2.1", 50)

        at_once(*(lambda to=to: report(to) for to in two_servers * 2))
        everyone = [credential, *others]
        wait_until(lambda: all(counted(one) == {"192.0.2.1": 200} for one in everyone))
        row = LoginDay.objects.get(username=credential.username)
        assert before <= row.first_at <= row.last_at == row.current_at <= timezone.now()
        credential.refresh_from_db()
        assert row.first_at <= credential.last_used_at <= row.last_at
        wait_until(lambda: node("mail1", role="postfix") and node("mail2", has_replica=False))

    @pytest.mark.postgresql
    def test_what_was_counted_while_the_database_was_away_is_written_once(self, two_servers, credential):
        name = connection.settings_dict["NAME"]
        allow = f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS '
        # Not from within: that one can't be closed.
        with psycopg.connect(servers.database_url().replace(f"/{name}", "/postgres"), autocommit=True) as other:
            other.execute(allow + "false")
            try:
                with connection.cursor() as cursor:
                    cursor.execute(CUT_OFF)
                for to in two_servers:
                    report_logins(to, credential, "192.0.2.1", 20)
                assert counted(credential) == {}
            finally:
                other.execute(allow + "true")
        wait_until(lambda: counted(credential).get("192.0.2.1", 0) >= 40, 60)
        report_logins(two_servers[0], credential, "192.0.2.2", 1)
        wait_until(lambda: counted(credential) == {"192.0.2.1": 40, "192.0.2.2": 1})


@pytest.mark.postgresql
def test_first_login_is_the_earliest_and_last_use_never_goes_back(credential):
    now = timezone.now().replace(hour=12)
    for hours in (0, -3, -1):  # as servers write that could not for a while
        tally = Tally()
        tally.add(credential.username, "192.0.2.1", Outcome.ACCEPTED, at=now + timedelta(hours=hours))
        tally.write()
    row = LoginDay.objects.get(username=credential.username)
    credential.refresh_from_db()
    assert (row.count, row.first_at, row.last_at) == (3, now - timedelta(hours=3), now)
    assert credential.last_used_at == now


@pytest.mark.postgresql
@pytest.mark.parametrize("is_done", [True, False], ids=["committed", "rolled back"])
def test_batch_whose_commit_got_no_answer_is_counted_once(credential, monkeypatch, is_done):
    commit, tally = connection.commit, Tally()

    def fail():
        monkeypatch.undo()
        if is_done:
            commit()
        raise OperationalError("server closed the connection unexpectedly")

    tally.add(credential.username, "192.0.2.1", Outcome.ACCEPTED)
    monkeypatch.setattr(connection, "commit", fail)
    with pytest.raises(OperationalError):
        tally.write()
    assert counted(credential) == ({"192.0.2.1": 1} if is_done else {})
    tally.add(credential.username, "192.0.2.2", Outcome.ACCEPTED)
    for _ in range(2):
        tally.write()
        assert counted(credential) == {"192.0.2.1": 1, "192.0.2.2": 1}


@pytest.mark.postgresql
def test_transaction_that_a_new_primary_lost_has_not_committed(db):
    assert not has_committed("999999999999")


@pytest.mark.postgresql
class TestReplica:
    @pytest.fixture
    def standby(self):
        primary = SimpleNamespace(port=connection.settings_dict["PORT"], url=servers.database_url())
        with primary_with_standbys(settings=FAST, primary=primary) as (_primary, (standby,)):
            yield standby

    def test_node_confirms_what_its_replica_shows(self, standby, tmp_path, as_alice, domain):
        earlier, deleted, suspended = (make_credential(domain) for _ in range(3))
        earlier.suspend(by=SYSTEM)
        replica = servers.database_url().replace(f":{connection.settings_dict['PORT']}/", f":{standby.port}/")

        def seen(username):
            return RefusalSeen.objects.filter(event__credential=username, node__name="mail1").first()

        def page(username):
            number = Event.objects.get(
                credential=username, tag__in=("credential.deleted", "credential.suspended")
            )
            return text(as_alice.get(f"{smtp_url(domain)}{username}/proof/{number.number}/"))

        Heartbeat.objects.beat(5)
        with report_server(tmp_path, "mail1", REPLICA_URL=replica):
            found = wait_until(lambda: node("mail1", heartbeat_at__isnull=False))
            assert found.has_replica and found.heartbeat_at == Heartbeat.objects.get().at
            wait_until(lambda: seen(earlier.username))
            # One machine, one clock; a busy one takes a moment.
            assert timedelta(0) <= node("mail1").clock_behind < timedelta(seconds=30)

            deleted.remove(by=SYSTEM)
            row = wait_until(lambda: seen(deleted.username))
            assert row.event.at < row.seen_at < timezone.now()
            assert "Refused within" in page(deleted.username)

            standby.pause()
            suspended.suspend(by=SYSTEM)
            Heartbeat.objects.beat(5)
            before = node("mail1").last_seen_at
            wait_until(lambda: node("mail1").last_seen_at > before + timedelta(seconds=1))
            assert seen(suspended.username) is None
            assert node("mail1").heartbeat_at < Heartbeat.objects.get().at
            assert "Its lease ends at" in page(suspended.username)

            standby.resume()
            wait_until(lambda: seen(suspended.username))
            assert "Refused within" in page(suspended.username)

    def test_node_whose_replica_is_away_goes_on_counting(self, tmp_path, credential):
        nowhere = f"postgres://postgres@127.0.0.1:{servers.free_port()}/postgres"
        with report_server(tmp_path, "mail3", REPLICA_URL=nowhere) as to:
            report_logins(to, credential, "192.0.2.1", 3)
            wait_until(lambda: counted(credential) == {"192.0.2.1": 3})
            found = wait_until(lambda: node("mail3"))
        assert found.has_replica and found.heartbeat_at is None
        log = (tmp_path / "mail3.log").read_text()
        assert log.count("The replica can't be asked: OperationalError") == 1
