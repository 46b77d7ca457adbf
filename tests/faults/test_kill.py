"""kill -9 in the middle of add, reset and delete: nothing half done, nothing lost that was reported as done."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.db import connection

from credentials.integrity import faults
from credentials.models import Credential
from tests.factories import password_of
from tests.faults.figures import FACTOR
from tests.servers import ROOT, database_url
from tests.submission.clients import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 25 * FACTOR
WRITERS = 8
AT_WORK = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class Actors:
    """Forks of one warm process, each killed after a moment."""

    def __init__(self, process):
        self._process = process

    def act(self, seconds, *, number=1) -> list[dict]:
        """Let some act concurrently for so long, kill them, and return their reports."""
        pids, reports = [], []
        for _ in range(number):
            reports += self._ask(b"fork\n", "forked")
            pids.append(reports.pop()["forked"])
        time.sleep(seconds)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        reports += self._ask(b"end\n", "end")[:-1]
        if connection.vendor == "postgresql":
            # It ends what a client asked for last, killed or not.
            wait_until(is_idle)
        return reports

    def _ask(self, line, answer) -> list[dict]:
        """Write a line; return the reports up to its answer."""
        self._process.stdin.write(line)
        reports = []
        while not reports or answer not in reports[-1]:
            reports.append(json.loads(self._process.stdout.readline()))
        return reports


def is_idle() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(AT_WORK)
        return cursor.fetchone() == (0,)


@contextmanager
def actors(domain):
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "sendlayer.settings"}
    command = [sys.executable, "-m", "tests.faults.actor", domain.name]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Actors(process)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


class Expected:
    """What must exist by the reports: username → password; None where an act was not reported as done."""

    def __init__(self):
        self.passwords: dict[str, str | None] = {}

    def lost(self, reports) -> list[str]:
        """Follow the reports; return what was reported as done and is not, or the other way round."""
        last = {}
        for line in reports:
            last[line["pid"]] = line
            username = line.get("username")
            if "begin" in line:
                if username:
                    self.passwords[username] = None
            elif line["done"] == "delete":
                del self.passwords[username]
            else:
                self.passwords[username] = line["password"]
        found = {row.username: password_of(row) for row in Credential.objects.all()}
        wrong = [name for name, password in self.passwords.items() if password and found.get(name) != password]
        # Each may have added one that it could not report; any other was reported as deleted.
        more = found.keys() - self.passwords.keys()
        wrong += list(more)[sum(line.get("begin") == "add" for line in last.values()) :]
        self.passwords = found
        return wrong


def judge(figures, expected, reports):
    lost, torn = expected.lost(reports), list(faults())
    acts = sum("done" in line for line in reports)
    figures.count(acts=acts, lost=len(lost), torn=len(torn))
    assert (lost, torn) == ([], [])
    return acts


def test_kill_9_in_the_middle_of_acts_loses_nothing_acknowledged(domain, figures):
    expected, chance, pace = Expected(), random.Random(587), 1  # noqa: S311
    with actors(domain) as crowd:
        while figures.counts.get("kills", 0) < ROUNDS or figures.counts["acts"] <= ROUNDS:
            acts = judge(figures, expected, crowd.act(pace * chance.uniform(0.04, 0.2)))
            figures.count(kills=1)
            pace = pace if acts else pace * 1.5  # on a busy machine an act takes longer
            assert pace < 100
    assert figures.counts["acts"] > ROUNDS


def test_eight_concurrent_writers_lose_nothing(domain, figures, capfd):
    """On SQLite each waits for its turn: none fails because the database is locked."""
    expected, seconds = Expected(), FACTOR
    with actors(domain) as crowd:
        while figures.counts.get("acts", 0) <= WRITERS * 5:
            judge(figures, expected, crowd.act(seconds, number=WRITERS))
            seconds *= 2  # on a busy machine
            assert seconds < 100 * FACTOR
    figures.count(writers=WRITERS, errors=capfd.readouterr().err.count("Traceback"))
    assert figures.counts["errors"] == 0
