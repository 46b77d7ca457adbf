"""`python tests/with_postgres.py COMMAND…`: run a command with DATABASE_URL set to a PostgreSQL of its own.

A new cluster in a temporary folder, on a free loopback port, for this one run; it is
stopped and removed afterwards. The exit code is the command's. PostgreSQL refuses to
run as root, so root runs it as the user `postgres`, which Debian's package makes.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30
EX_UNAVAILABLE = 69  # sysexits.h
# It holds nothing worth keeping: no waiting for the disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


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
    programs = _programs()
    owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="sendlayer-pg-"))
    try:
        if owner:
            shutil.chown(folder, "postgres", "postgres")
        data, port = folder / "data", _free_port()
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        made = subprocess.run(
            [*initdb, "--locale=C.UTF-8"], cwd=folder, capture_output=True, text=True, **owner
        )
        if made.returncode:
            raise NotThere(f"initdb failed:\n{made.stdout}{made.stderr}")
        options = ["-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", ""]
        options += [part for setting in FAST for part in ("-c", setting)]
        with open(folder / "log", "wb") as log:
            server = subprocess.Popen(
                # A process group of its own: Ctrl-C stops the command first, then the server.
                [programs / "postgres", *options],
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **owner,
            )
        try:
            _wait(server, programs, port, folder / "log")
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once; the data goes with it
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
