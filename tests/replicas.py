"""A PostgreSQL primary with hot standbys, each a server of its own on a loopback port."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from tests.servers import ROOT
from tests.with_postgres import LASTING, START_SECONDS, Cluster


class Standby(Cluster):
    """A hot standby of another cluster, made by pg_basebackup. Raises NotThere."""

    def __init__(self, folder: Path, settings, primary: Cluster):
        self._primary = primary
        super().__init__(folder, settings)

    def _fill(self, data):
        source = ["-h", "127.0.0.1", "-p", str(self._primary.port), "-U", "postgres"]
        # -R makes it a standby. A checkpoint at once: the primary's next one may be minutes away.
        how = ["-R", "--checkpoint=fast", "--wal-method=stream", "--no-sync"]
        self._run([self._programs / "pg_basebackup", "-D", data, *source, *how])

    def promote(self):
        """Make it a primary; return when it is one."""
        ask(self, "SELECT pg_promote()")

    def pause(self):
        """Stop replaying, as when it is overloaded: it goes on answering with what it has."""
        ask(self, "SELECT pg_wal_replay_pause()")
        _wait(lambda: ask(self, "SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self):
        ask(self, "SELECT pg_wal_replay_resume()")

    def has_replayed(self, primary: Cluster):
        """Wait until it has all that the primary has committed by now."""
        end = ask(primary, "SELECT pg_current_wal_flush_lsn()::text")
        _wait(lambda: ask(self, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", end))


def ask(cluster: Cluster, query: str, *parameters):
    """The first column of the first row that a cluster answers; as the superuser."""
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        row = connection.execute(query, parameters).fetchone()
        return row and row[0]


@contextmanager
def primary_with_standbys(number=1, settings=LASTING, primary=None):
    """Run a primary and hot standbys of it until the block ends; yield (Cluster, [Standby, …]).

    `primary` is one that runs already. Raises NotThere.
    """
    with ExitStack() as stack:

        def start(make, *more):
            folder = Path(tempfile.mkdtemp(prefix="sendlayer-pg-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            made = make(folder, settings, *more)
            made.start()
            stack.callback(made.stop)
            return made

        primary = primary or start(Cluster)
        yield primary, [start(Standby, primary) for _ in range(number)]


@contextmanager
def beating(url, *, output=subprocess.DEVNULL, **environment):
    """Run `manage.py heartbeat` on the database at a URL until the block ends; yield the process."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "heartbeat"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url} | environment,
        stdout=output,
        stderr=output,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(condition):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "The standby did not do it in time."
        time.sleep(0.02)
