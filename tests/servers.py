"""Starts and stops the real servers that tests talk to, each on a free loopback port."""

import itertools
import os
import random
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.leaks import has_secret

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60  # far beyond what a busy machine needs
STOP_SECONDS = 10
# Runs that go on side by side each have ports of their own (Makefile).
_PORTS = range(*map(int, os.environ.get("TEST_PORTS", "11000-31000").split("-")))
# From a place by chance: two checkouts that are tested at once seldom meet.
_start = random.choice(_PORTS)  # noqa: S311
_ports = itertools.chain(range(_start, _PORTS.stop), range(_PORTS.start, _start))


def free_port() -> int:
    """A port that nobody listens on, never the same twice.

    Below those that the system gives to clients (ip_local_port_range), which come and go.
    """
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("There is no free port left.")


@cache
def loopback() -> list[str]:
    """The addresses of `localhost` on this machine: some clients try ::1 alone where that is one of them."""
    found = {address[0] for *_, address in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
    return ["127.0.0.1", *sorted(found & {"::1"})]


@cache
def collect_static():
    """Gather the static files for the servers, with hashed names and packed; once for all tests of a run."""
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], cwd=ROOT, check=True)


def database_url() -> str:
    """The URL of the test database, as another process has to be given it."""
    from django.db import connection

    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return "postgres://{USER}@{HOST}:{PORT}/{NAME}".format(**database)


@contextmanager
def running(arguments, *, port, log, program=sys.executable, **environment):
    """Run a server, of Python or `program`, until the block ends; yield the process once its port answers.

    `log` is the file that takes its output. Raises RuntimeError with the end of that
    file when the server stops or stays silent; AssertionError when a secret stands in it.
    """
    given = {"DATABASE_URL": database_url(), "PYTHONUNBUFFERED": "1"}
    environment = {"LOG_LEVEL": "DEBUG"} | os.environ | given | environment
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [program, *arguments], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        try:
            _wait_for(port, process, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    assert not has_secret(Path(log).read_text(errors="replace")), f"A secret was logged: {log}"


def _wait_for(port, process, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args} does not answer on port {port}:\n{Path(log).read_text()[-2000:]}")
