"""The primary is lost under load, and a standby that lacks its last acts becomes the primary."""

import json
import os
import subprocess
import time

import psycopg
import pytest

from credentials.models.base import short
from tests.faults.elsewhere import manage, numbers_of, set_up
from tests.faults.figures import FACTOR
from tests.faults.web import Person, answers_of, await_acts, lost, site, visited
from tests.replicas import ask, primary_with_standbys
from tests.servers import ROOT
from tests.submission.clients import wait_until
from tests.with_postgres import LASTING

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

AFTER = """
import json
from django.core.management import call_command
from credentials.models import Credential
call_command("verify_store")
call_command("verify_audit")
suspended = Credential.objects.exclude(suspended_at=None)
print(json.dumps([list(rows.values_list("username", flat=True)) for rows in (Credential.objects, suspended)]))
"""


def both(primary, standby) -> str:
    """DATABASE_URL of the two, whichever can be written to."""
    servers = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    return f"postgres://postgres@{servers}/postgres?target_session_attrs=read-write"


def stop_receiving(standby):
    with psycopg.connect(standby.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
        connection.execute("SELECT pg_reload_conf()")
    wait_until(lambda: not ask(standby, "SELECT count(*) FROM pg_stat_wal_receiver"))


def rewind(former, primary):
    """Make a former primary, which is stopped, a standby of the new one, and start it."""
    data, server = former._folder / "data", f"host=127.0.0.1 port={primary.port}"
    source = f"--source-server={server} user=sendlayer_rewind dbname=postgres"
    former._run([former._programs / "pg_rewind", "-D", data, source])
    (data / "standby.signal").touch()
    with open(data / "postgresql.auto.conf", "a") as settings:
        settings.write(f"primary_conninfo = '{server} user=postgres'\n")
    former.start()


def named_in(output) -> list[str]:
    return sorted(line for line in output.splitlines() if line.startswith("  "))


def test_every_answered_revocation_is_present_or_reconciled_after_a_failover(tmp_path, figures):
    events = tmp_path / "events"
    with primary_with_standbys(1) as (primary, [standby]):
        name, session = set_up(primary.url)
        with site(tmp_path, DATABASE_URL=both(primary, standby), EVENTS_LOG=str(events)) as serving:
            person, path = Person(serving.port, session), f"/domains/{name}/settings/smtp/"
            with visited(serving.port, name, session) as crowd:
                await_acts(crowd, 20 * FACTOR)
                standby.has_replayed(primary)
                stop_receiving(standby)
                await_acts(crowd, 10 * FACTOR)
                primary.stop()
                wait_until(lambda: answers_of(crowd)[503] > 4)
            status, page = person.ask("GET", path)
            assert status == 503 and "No partial changes were saved" in page
            standby.promote()
            began = time.monotonic()
            wait_until(lambda: person.ask("GET", path)[0] == 200)
            figures.count(milliseconds=round(1000 * (time.monotonic() - began)))
            missing = lost(crowd, numbers_of(standby.url))
            primary.start()  # as somebody does who looks what is in it, apart from everybody
            of_former = manage(standby.url, "reconcile", "--database", primary.url, "--dry-run")
            output = manage(standby.url, "reconcile", str(events))
            assert named_in(of_former) == named_in(output)
            there, suspended = json.loads(manage(standby.url, "shell", "-v0", "-c", AFTER).splitlines()[-1])
    answers = answers_of(crowd)
    figures.count(answered=answers[302], unavailable=answers[503], lost=len(missing), suspended=len(suspended))
    assert missing and suspended and set(answers) <= {302, 503, "none"}
    usernames = {line.split()[0].rstrip(":") for line in missing}
    assert [user for user in usernames & set(there) if user not in suspended] == []
    assert [user for user in usernames if short(user) not in output] == []
    assert "Traceback" not in serving.log.read_text()


def test_former_primary_follows_the_new_one_after_pg_rewind():
    """As deploy/cluster/failover.md says, with the role of patroni.sql; what the new primary lacks is gone."""
    password = {"REWIND_PASSWORD": "made-up"}
    with primary_with_standbys(1, (*LASTING, "wal_log_hints=on")) as (primary, [standby]):
        psql = ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", primary.url]
        subprocess.run(
            [*psql, "-f", ROOT / "deploy/cluster/patroni.sql"], check=True, env=os.environ | password
        )
        # pg_rewind starts the server alone first, with the settings of its files.
        for setting in ("wal_log_hints = on", "wal_keep_size = '256MB'"):
            subprocess.run([*psql, "-c", f"ALTER SYSTEM SET {setting}"], check=True)
        subprocess.run([*psql, "-c", "CREATE TABLE acts AS SELECT 'kept' AS name"], check=True)
        standby.has_replayed(primary)
        stop_receiving(standby)
        subprocess.run([*psql, "-c", "INSERT INTO acts VALUES ('lost')"], check=True)
        primary.stop()
        standby.promote()
        wait_until(lambda: not ask(standby, "SELECT pg_is_in_recovery()"))
        subprocess.run(
            [*psql[:-1], standby.url, "-c", "INSERT INTO acts VALUES ('new'); CHECKPOINT"], check=True
        )
        rewind(primary, standby)
        wait_until(lambda: ask(primary, "SELECT string_agg(name, ' ' ORDER BY name) FROM acts") == "kept new")
        assert ask(primary, "SELECT pg_is_in_recovery()")
