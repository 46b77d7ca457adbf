"""`python tests/with_postgres.py COMMAND…`: run a command with DATABASE_URL set to a PostgreSQL of its own.

A new cluster in a temporary folder, on a free loopback port, for this one run; it is
stopped and removed afterwards. The exit code is the command's. PostgreSQL refuses to
run as root, so root runs it as the user `postgres`, which Debian's package makes.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
EX_UNAVAILABLE = 69  # sysexits.h
# It holds nothing worth keeping: no waiting for the disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
# What was committed outlives the server, though not the machine.
LASTING = ("fsync=off", "max_connections=200")


def main(command: list[str]) -> int:
    if not command:
        sys.stderr.write(__doc__)
        return 64
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with postgres() as url:
            return subprocess.call(command, env=os.environ | {"DATABASE_URL": url})
    except NotThere as error:
        sys.stderr.write(f"PostgreSQL: {error}\n")
        return EX_UNAVAILABLE


class NotThere(Exception):
    """PostgreSQL is not installed or does not start; str() tells more."""


@contextmanager
def postgres():
    """Run a cluster until the block ends; yield the URL of an empty database in it."""
    with cluster() as running:
        yield running.url


@contextmanager
def cluster(settings=FAST):
    """Run a cluster until the block ends; yield it as a Cluster. Raises NotThere."""
    folder = Path(tempfile.mkdtemp(prefix="sendlayer-pg-"))
    try:
        made = Cluster(folder, settings)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """A PostgreSQL cluster in a folder, which can be stopped and started. Raises NotThere."""

    def __init__(self, folder: Path, settings):
        self._folder, self._programs = folder, _programs()
        self._settings = settings
        self._owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        # Mail servers come in through a socket, which initdb's folder would keep to its owner.
        self._sockets = folder / "sockets"
        self._sockets.mkdir()
        folder.chmod(0o755)
        if self._owner:
            for each in (folder, self._sockets):
                shutil.chown(each, "postgres", "postgres")
        self.port = _free_port()
        self._fill(folder / "data")

    def _fill(self, data: Path):
        """Make the folder of its files."""
        initdb = [self._programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        self._run([*initdb, "--no-sync", "--locale=C.UTF-8"])

    def _run(self, command: list):
        """Run one of PostgreSQL's programs as the server's user. Raises NotThere with what it said."""
        made = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, **self._owner)
        if made.returncode:
            raise NotThere(f"{command[0].name} failed:\n{made.stdout}{made.stderr}")

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def sockets(self) -> Path:
        """The folder of its Unix socket."""
        return self._sockets

    @property
    def process(self) -> int:
        """The id of its first process."""
        return self._server.pid

    def start(self):
        options = ["-D", self._folder / "data", "-h", "127.0.0.1", "-p", str(self.port)]
        options += ["-k", self._sockets]
        options += [part for setting in self._settings for part in ("-c", setting)]
        with open(self._folder / "log", "ab") as log:
            self._server = subprocess.Popen(
                # A process group of its own: Ctrl-C stops the command first, then the server.
                [self._programs / "postgres", *options],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._owner,
            )
        try:
            _wait(self._server, self._programs, self.port, self._folder / "log")
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Stop at once, dropping all connections."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()


def _programs() -> Path:
    """Where initdb and postgres lie: in PATH, or where Debian keeps its newest version."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(installed, key=lambda path: float(path.parts[-3]), default=None)
    if newest is None:
        raise NotThere("not installed (apt-get install postgresql)")
    return newest.parent


def _free_port() -> int:
    """As tests/servers.py: no port that the system gives to clients, which could take it in the meantime."""
    ports = range(*map(int, os.environ.get("TEST_PORTS", "11000-31000").split("-")))
    for port in random.sample(ports, len(ports)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise NotThere("there is no free port left")


def _wait(server, programs, port, log):
    ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if subprocess.call(ready) == 0:
            return
        time.sleep(0.05)
    raise NotThere(f"it does not start:\n{log.read_text()[-2000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
