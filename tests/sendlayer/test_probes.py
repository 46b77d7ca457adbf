"""What machines ask: is it alive, is it ready, and its figures."""

import json
import os
import signal
import time

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts import letters
from audit.models import Event
from credentials.models import Credential, Outcome
from domains.models import Domain
from sendlayer import metrics, probes, sealed, within
from tests.factories import make_credential, make_domain, make_use
from tests.http import at_once, sign_in, smtp_url
from tests.servers import free_port, running
from tests.with_postgres import cluster

pytestmark = pytest.mark.django_db(transaction=True)

ELSEWHERE = {"headers": {"Host": "10.0.0.7:8000"}, "REMOTE_ADDR": "10.0.0.9"}
TOKEN = "t" * 40


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch, settings):
    monkeypatch.setattr(probes, "_has_migrations", False)
    settings.SECURE_SSL_REDIRECT = True  # probes speak plain HTTP all the same


def not_ready(client):
    response = client.get("/readyz", **ELSEWHERE)
    assert response.status_code == 503
    return json.loads(response.content)["reason"], json.loads(response.content)["detail"]


def figures(client, **request):
    """/metrics as a dictionary: name and labels → number."""
    response = client.get("/metrics", **request)
    assert response.status_code == 200 and response.headers["Content-Type"].startswith("text/plain")
    lines = [line.rpartition(" ") for line in response.content.decode().splitlines() if line[0] != "#"]
    return {name.removeprefix("sendlayer_"): float(number) for name, _, number in lines}


def test_it_is_alive_without_any_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz", **ELSEWHERE).content == b"ok\n"
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405


def test_it_is_ready(client):
    response = client.get("/readyz", **ELSEWHERE)
    assert (response.status_code, json.loads(response.content)) == (200, {"status": "ready"})
    assert not response.cookies


def test_it_is_not_ready_while_sealed(client, monkeypatch):
    monkeypatch.setattr(sealed, "_problem", "CREDENTIAL_KEYS lacks the key 'k1'")
    assert not_ready(client) == ("sealed", "CREDENTIAL_KEYS lacks the key 'k1'.")
    assert client.get("/healthz").status_code == 200


def test_it_is_not_ready_before_the_migrations(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'credentials' AND name = '0006_login_total'")
    try:
        assert not_ready(client) == ("migrations", "Run manage.py migrate: credentials.0006_login_total.")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('credentials', '0006_login_total', %s)",
                [timezone.now()],
            )
    assert client.get("/readyz").status_code == 200


def test_it_is_not_ready_without_a_database(client, monkeypatch):
    def away():
        raise DatabaseError

    monkeypatch.setattr(probes, "_why_not", away)
    assert not_ready(client) == ("database", "The database can't be asked: DatabaseError.")


def test_a_database_that_hangs_is_told_within_two_seconds(client, monkeypatch):
    monkeypatch.setattr(probes, "_why_not", lambda: time.sleep(4))
    start = time.monotonic()
    # More of them than threads that may hang.
    assert at_once(*[lambda: not_ready(client)] * 8) == [("database", "The database does not answer.")] * 8
    assert time.monotonic() - start < 2.5
    for _ in range(4):  # those threads end before the next test
        assert within._slots.acquire(timeout=10)
    for _ in range(4):
        within._slots.release()


@pytest.mark.one_database
def test_a_postgresql_that_is_stopped_or_away_and_comes_back(tmp_path):
    from tests.accounts.test_throttle import Visitor
    from urllib.request import urlopen
    from urllib.error import HTTPError
    del Visitor

    def status(port):
        start = time.monotonic()
        try:
            code = urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10).status
        except HTTPError as error:
            code = error.code
        assert time.monotonic() - start < 2.5
        return code

    with cluster() as postgres:
        environment = {"DATABASE_URL": postgres.url, "PORT": str(free_port())}
        import subprocess, sys
        from tests.servers import ROOT
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=os.environ | environment, check=True
        )
        command, port = ["-m", "gunicorn", "sendlayer.wsgi"], int(environment["PORT"])
        with running(command, port=port, log=tmp_path / "log", **environment):
            assert status(port) == 200
            os.killpg(postgres._server.pid, signal.SIGSTOP)
            try:
                assert status(port) == 503
            finally:
                os.killpg(postgres._server.pid, signal.SIGCONT)
