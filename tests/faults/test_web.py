"""The dashboard's workers killed and restarted under writes: what was answered is done, and nothing is torn."""

import os
import random
import signal
import time

import pytest

from credentials.integrity import faults
from credentials.models import Credential
from tests.faults.figures import FACTOR
from tests.faults.web import answers_of, await_acts, lost, session_of, site, visited
from tests.submission.clients import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def serving(tmp_path, domain):
    with site(tmp_path) as running:
        yield running


def judge(figures, crowd):
    """Count the results; nothing may be lost, torn, or answered with an internal error."""
    answers = answers_of(crowd)
    missing = lost(crowd, dict(Credential.objects.values_list("username", "password_number")))
    torn = list(faults())
    figures.count(
        answered=answers[302],
        unanswered=answers["none"],
        refused=sum(number for status, number in answers.items() if status in (409, 503)),
        lost=len(missing),
        torn=len(torn),
    )
    assert (missing, torn) == ([], [])
    assert set(answers) <= {302, 409, 503, "none"}
    return answers


def test_kill_9_of_web_workers_loses_nothing_acknowledged(serving, domain, alice, figures):
    chance = random.Random(587)  # noqa: S311
    with visited(serving.port, domain.name, session_of(alice)) as crowd:
        for _ in range(6 * FACTOR):
            await_acts(crowd, 2)  # on a busy machine new workers start slowly: the killed one has to be working
            time.sleep(chance.uniform(0.2, 0.5))
            os.kill(chance.choice(wait_until(serving.workers)), signal.SIGKILL)
            figures.count(kills=1)
    answers = judge(figures, crowd)
    assert answers[302] > 10


def test_graceful_restarts_under_writes_fail_no_request(serving, domain, alice, figures):
    with visited(serving.port, domain.name, session_of(alice)) as crowd:
        for _ in range(5 * FACTOR):
            await_acts(crowd, 3)
            before = set(serving.workers())
            serving.process.send_signal(signal.SIGHUP)
            wait_until(lambda before=before: not before & set(serving.workers()), 90)
            figures.count(restarts=1)
    answers = judge(figures, crowd)
    assert answers[302] > 10
    assert answers["none"] == 0
