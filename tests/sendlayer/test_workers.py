"""Calls in threads: how many, how long a caller waits for them, and what is left of them."""

import asyncio
import subprocess
import sys
import threading

import pytest
from django.db import connection

from tests.servers import ROOT
from tests.submission.clients import wait_until
from web.workers import Busy, Workers

pytestmark = pytest.mark.one_database
HANGS = """
import time
from django.conf import settings
settings.configure()
from web.workers import Workers
workers = Workers("hangs", threads=1, waiting=1, seconds=0.1)
try:
    workers.call(time.sleep, 60)
except TimeoutError:
    print("left behind")
"""


@pytest.fixture
def held():
    """What calls wait for; they end with the test."""
    event = threading.Event()
    yield event
    event.set()


def threads(name):
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_call_returns_the_result_or_raises_the_error():
    workers = Workers("calls", threads=1)
    assert workers.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        workers.call(divmod, 7, 0)
    assert asyncio.run(workers.run(divmod, 7, 2)) == (3, 1)


def test_calls_beyond_threads_and_queue_raise_busy(held):
    workers = Workers("calls", threads=1, waiting=1)
    accepted = [workers.submit(held.wait) for _ in range(2)]
    with pytest.raises(Busy):
        workers.submit(held.wait)
    with pytest.raises(Busy):
        asyncio.run(workers.run(held.wait))
    held.set()
    assert [future.result(10) for future in accepted] == [True, True]
    assert workers.call(int) == 0


@pytest.mark.parametrize("wait", [Workers.call, lambda *call: asyncio.run(Workers.run(*call))])
def test_caller_waits_so_many_seconds_and_its_waiting_call_is_dropped(held, wait):
    workers, made = Workers("calls", threads=1, waiting=1, seconds=0.05), []
    running = workers.submit(held.wait)
    for number in range(3):  # each takes the place of the one before
        with pytest.raises(TimeoutError):
            wait(workers, made.append, number)
    assert not workers._calls
    held.set()
    assert running.result(10) and workers.call(int) == 0 and made == []


def test_place_is_free_again_when_preparing_the_call_fails():
    workers = Workers("calls", threads=1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), workers.reserve():
            1 / 0  # noqa: B018
    with workers.reserve() as submit, pytest.raises(Busy):
        workers.submit(int)
    submit(int).result(10)


def test_threads_end_when_nothing_waits_unless_they_are_kept(held):
    for_now, kept = Workers("for-now", threads=2, waiting=8), Workers("kept", threads=2, keep=True)
    for future in [for_now.submit(int) for _ in range(8)]:
        future.result(10)
    wait_until(lambda: not threads("for-now"))
    (thread,) = {kept.call(threading.current_thread) for _ in range(8)}
    assert threads("kept") == [thread]
    futures = [kept.submit(held.wait) for _ in range(2)]
    assert len(threads("kept")) == 2
    held.set()
    assert [future.result(10) for future in futures] == [True, True]
    kept.close()
    wait_until(lambda: not threads("kept"))


def test_close_drops_waiting_calls(held):
    workers = Workers("calls", threads=1, waiting=1)
    running, waiting = workers.submit(held.wait), workers.submit(int)
    wait_until(running.running)
    workers.close()
    held.set()
    assert running.result(10) and waiting.cancelled()


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_left_open_by_a_thread_that_ends():
    opened = []

    def ask():
        connection.ensure_connection()
        opened.append(connection.connection)

    workers = Workers("asks", threads=1)
    workers.submit(ask).result(10)
    wait_until(lambda: not threads("asks"))
    assert opened and workers.submit(lambda: connection.connection).result(10) is None


def test_thread_that_hangs_does_not_keep_the_process_from_stopping():
    command = [sys.executable, "-c", HANGS]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout == "left behind\n" and not said.stderr
