"""Probes of monitoring: /healthz, /readyz and /metrics."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts import emails
from audit.models import Event
from credentials.models import Credential
from credentials.outcome import Outcome
from operations import health, metrics
from operations.models import JobRun
from tests.factories import make_credential, make_domain, make_use
from tests.http import at_once, sign_in, smtp_url
from tests.servers import ROOT, free_port, running
from tests.submission.clients import wait_until
from tests.with_postgres import cluster
from vault import sealed_mode

pytestmark = pytest.mark.django_db(transaction=True)

ELSEWHERE = {"headers": {"Host": "10.0.0.7:8000"}, "REMOTE_ADDR": "10.0.0.9"}
TOKEN = "t" * 40


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch, settings):
    monkeypatch.setattr(health, "_has_migrations", False)
    settings.SECURE_SSL_REDIRECT = True  # probes use plain HTTP even so


def not_ready(client):
    response = client.get("/readyz", **ELSEWHERE)
    assert response.status_code == 503
    return json.loads(response.content)["reason"], json.loads(response.content)["detail"]


def figures(client, **request):
    """Return /metrics as a dictionary: name and labels → number."""
    response = client.get("/metrics", **request)
    assert response.status_code == 200 and response.headers["Content-Type"].startswith("text/plain")
    lines = [line.rpartition(" ") for line in response.content.decode().splitlines() if line[0] != "#"]
    return {name.removeprefix("sendlayer_"): float(number) for name, _, number in lines}


def test_healthz_answers_without_a_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz", **ELSEWHERE).content == b"ok\n"
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405


def test_readyz_answers_ready(client, settings):
    response = client.get("/readyz", **ELSEWHERE)
    assert (response.status_code, json.loads(response.content)) == (
        200,
        {"status": "ready", "version": settings.VERSION},
    )
    assert not response.cookies


def test_readyz_fails_while_sealed(client, monkeypatch):
    monkeypatch.setattr(sealed_mode, "_problem", "CREDENTIAL_KEYS lacks the key 'k1'")
    assert not_ready(client) == ("sealed", "CREDENTIAL_KEYS lacks the key 'k1'.")
    assert client.get("/healthz").status_code == 200


def test_readyz_fails_before_the_migrations(client):
    (migration,) = MigrationExecutor(connection).loader.graph.leaf_nodes("credentials")
    MigrationRecorder(connection).record_unapplied(*migration)
    try:
        assert not_ready(client) == ("migrations", f"Run manage.py migrate: {'.'.join(migration)}.")
    finally:
        MigrationRecorder(connection).record_applied(*migration)
    assert client.get("/readyz").status_code == 200


def test_readyz_fails_without_a_database(client, monkeypatch):
    def away():
        raise DatabaseError

    monkeypatch.setattr(health, "_why_not", away)
    assert not_ready(client) == ("database", "The database can't be asked: DatabaseError.")


def test_readyz_reports_a_hanging_database_while_it_hangs(client, monkeypatch):
    answers = threading.Event()
    monkeypatch.setattr(health, "_why_not", lambda: answers.wait(60))
    assert health._readiness_workers._seconds <= 2
    # More of them than threads that may hang.
    assert at_once(*[lambda: not_ready(client)] * 8) == [("database", "The database does not answer.")] * 8
    answers.set()
    # Those threads end before the next test.
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "readiness"])


def test_slow_figures_do_not_make_readyz_fail(client, monkeypatch):
    counted = threading.Event()
    monkeypatch.setattr(health._metrics_workers, "_seconds", 0.05)
    monkeypatch.setattr(metrics, "figures", lambda: counted.wait(20))
    for _ in range(5):
        assert figures(client)["database_up"] == 0
    assert client.get("/readyz").status_code == 200
    counted.set()


@pytest.fixture
def postgres():
    """A separate PostgreSQL with all tables."""
    with cluster() as running_cluster:
        environment = os.environ | {"DATABASE_URL": running_cluster.url}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        yield running_cluster


@contextmanager
def frozen(postmaster):
    """Stop all processes of a PostgreSQL, as when its disk hangs."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    processes = [postmaster, *map(int, children)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@pytest.mark.one_database
def test_readyz_reports_a_frozen_or_stopped_postgresql_and_its_return(postgres, tmp_path):
    port = free_port()

    def status():
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as http:
            http.request("GET", "/readyz")
            return http.getresponse().status

    def comes_back():
        wait_until(lambda: status() == 200, seconds=20)

    environment = {"DATABASE_URL": postgres.url, "PORT": str(port)}
    with running(["-m", "gunicorn", "sendlayer.wsgi"], port=port, log=tmp_path / "log", **environment):
        comes_back()
        with frozen(postgres.process):
            assert status() == 503
        comes_back()
        postgres.stop()
        assert status() == 503
        postgres.start()
        comes_back()


class TestMetrics:
    def test_metrics_count_rows_of_the_database(self, client, alice, domain):
        used, suspended, expired = (make_credential(domain) for _ in range(3))
        make_domain("pending.example", owner=alice, authorized=False)
        Credential.objects.filter(pk=suspended.pk).update(suspended_at=timezone.now())
        Credential.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
        make_use(used, number=7)
        make_use(used, number=2, outcome=Outcome.WRONG_PASSWORD)
        emails.post("alice@example.com", "Hello", "text")
        sign_in(client, alice).post(smtp_url(used, "copy"), secure=True)
        found = figures(client)
        assert found['smtp_logins_total{outcome="accepted"}'] == 7
        assert found['smtp_logins_total{outcome="wrong_password"}'] == 2
        assert found['smtp_logins_total{outcome="expired"}'] == 0
        assert found['acts_total{act="credential.created"}'] == 3
        assert found['acts_total{act="credential.password_copied"}'] == 1
        assert [found[f'credentials{{state="{state}"}}'] for state in ("active", "suspended", "expired")] == [
            1
        ] * 3
        assert [found[f'domains{{state="{state}"}}'] for state in ("authorized", "pending", "suspended")] == [
            1,
            1,
            0,
        ]
        assert found['dns_records{status="missing"}'] == 0
        assert found["letters_waiting"] >= 1 and 0 <= found["letters_oldest_seconds"] < 60
        assert (found["sealed"], found["database_up"]) == (0, 1)

    def test_metrics_show_when_each_job_succeeded_and_whether_it_failed(
        self, transactional_db, client, settings, tmp_path
    ):
        began = time.time()
        settings.BACKUP_DIR = str(tmp_path)
        call_command("tick", "backup")
        settings.BACKUP_DIR = str(tmp_path / "gone")
        with pytest.raises(CommandError):
            call_command("tick", "backup")
        call_command("tick", "domains")
        JobRun.objects.filter(job="domains").update(held_until=timezone.now())  # its next run died
        JobRun.objects.create(
            job="tidy", started_at=timezone.now(), held_until=timezone.now() + timedelta(hours=1)
        )
        found = figures(client)
        (backup,) = tmp_path.iterdir()
        assert began < found['job_last_success_timestamp_seconds{name="backup"}'] < time.time()
        assert found['job_last_success_timestamp_seconds{name="letters"}'] == 0
        assert found['job_duration_seconds{name="backup"}'] > 0
        assert 'job_duration_seconds{name="tidy"}' not in found
        failed = {name: number for name, number in found.items() if name.startswith("job_failed")}
        assert failed == {'job_failed{name="backup"}': 1, 'job_failed{name="domains"}': 1}
        assert found["backup_size_bytes"] == backup.stat().st_size

    def test_metrics_show_when_the_last_login_was_counted(self, client, credential):
        assert figures(client)["smtp_last_login_timestamp_seconds"] == 0
        cache.clear()
        make_use(credential)
        assert time.time() - 60 < figures(client)["smtp_last_login_timestamp_seconds"] <= time.time()

    def test_metrics_name_no_user_or_domain(self, client, alice, credential):
        make_use(credential)
        page = client.get("/metrics").content.decode()
        for name in (credential.username, credential.domain.name, alice.email, "203.0.113.7"):
            assert name not in page

    def test_metrics_of_concurrent_servers_add_up(self, client, credential):
        at_once(*[lambda: make_use(credential, number=5)] * 6)
        assert figures(client)['smtp_logins_total{outcome="accepted"}'] == 30

    def test_metrics_are_counted_every_15_seconds_for_all_workers(self, client, alice, monkeypatch):
        assert figures(client)["letters_waiting"] == 0
        emails.post("alice@example.com", "Hello", "text")
        assert figures(client)["letters_waiting"] == 0
        monkeypatch.setattr(
            metrics, "time", SimpleNamespace(time=lambda: time.time() + 16, monotonic=time.monotonic)
        )
        assert figures(client)["letters_waiting"] == 1

    def test_metrics_count_old_events_once_and_new_ones_each_time(self, client, domain, monkeypatch):
        monkeypatch.setattr(metrics, "SHORTEST_SECONDS", -1)
        monkeypatch.setattr(metrics, "SHARE", 0)
        make_credential(domain)
        Event.objects.update(at=timezone.now() - timedelta(hours=1))
        for number in range(1, 4):
            assert figures(client)['acts_total{act="credential.created"}'] == number
            make_credential(domain)
        counted_to, numbers = cache.get(metrics.ACTS)
        assert numbers["credential.created"] == 1 and counted_to < Event.objects.latest("pk").pk

    def test_metrics_of_a_sealed_site_say_so(self, client, monkeypatch):
        monkeypatch.setattr(sealed_mode, "_problem", "the key is gone")
        assert figures(client)["sealed"] == 1

    def test_metrics_without_a_database_say_so(self, client, monkeypatch, settings):
        def away():
            raise DatabaseError

        monkeypatch.setattr(metrics, "figures", away)
        settings.MILTER_PORT, settings.EVENTS_LOG = free_port(), ""
        version = f'build_info{{version="{settings.VERSION}"}}'
        assert figures(client) == {version: 1, "sealed": 0, "database_up": 0, "milter_up": 0}

    def test_metrics_say_whether_the_milter_answers(self, client, settings):
        with socket.create_server(("127.0.0.1", 0)) as milter:
            settings.MILTER_PORT = milter.getsockname()[1]
            assert figures(client)["milter_up"] == 1
        assert figures(client)["milter_up"] == 0

    @pytest.mark.parametrize(
        ("token", "request_", "is_told"),
        [
            ("", {}, True),
            ("", {"REMOTE_ADDR": "::1"}, True),
            ("", {"REMOTE_ADDR": "10.0.0.9"}, False),
            ("", {"REMOTE_ADDR": ""}, False),
            ("", {"headers": {"X-Forwarded-For": "127.0.0.1"}}, False),
            ("", {"headers": {"Forwarded": "for=127.0.0.1"}}, False),
            ("", {"headers": {"Authorization": "Bearer "}, "REMOTE_ADDR": "10.0.0.9"}, False),
            (TOKEN, {"headers": {"Authorization": f"Bearer {TOKEN}"}, "REMOTE_ADDR": "10.0.0.9"}, True),
            (TOKEN, {}, False),
            (TOKEN, {"headers": {"Authorization": TOKEN}}, False),
            (TOKEN, {"headers": {"Authorization": f"Bearer {TOKEN[1:]}"}}, False),
            (TOKEN, {"headers": {"Authorization": "Bearer é"}}, False),
        ],
    )
    def test_metrics_need_the_token_or_a_local_request(self, client, settings, token, request_, is_told):
        settings.METRICS_TOKEN = token
        response = client.get("/metrics", secure=True, **request_)
        assert response.status_code == (200 if is_told else 404)
        assert (b"sendlayer_sealed" in response.content) is is_told
