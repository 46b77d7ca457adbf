"""`python -m tests.cluster.patroni`: failovers by Patroni, on loopback, with deploy/cluster/patroni.yml.

A primary and two standbys are given to Patroni, with a dashboard under load. The leader is killed and comes
back; then come a planned switchover, the loss of etcd, and synchronous_mode. Prints how long no act succeeded
each time, and what was lost.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests import environment  # noqa: F401  (keys and VAR_DIR, before Django)
from tests.replicas import ask, primary_with_standbys
from tests.servers import ROOT, free_port

SECONDS = 120
WITHOUT_ETCD_SECONDS = 40
TRUST = ("host replication all 127.0.0.1/32 trust", "host all all 127.0.0.1/32 trust", "local all all trust")


class Host:
    """One database host: Patroni, which takes over a server that was set up without it."""

    def __init__(self, name, folder, cluster, etcd):
        self.name, self.folder, self.cluster = name, folder / name, cluster
        self._data = Path(ask(cluster, "SHOW data_directory"))
        self._programs = ask(cluster, "SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        self._owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self.folder.mkdir()
        self._write(etcd, free_port())
        if self._owner:
            subprocess.run(["chown", "-R", "postgres:postgres", self.folder], check=True)

    @property
    def server(self):
        return f"127.0.0.1:{self.cluster.port}"

    def _write(self, etcd, rest):
        """The shipped file, for loopback, without a watchdog and without TLS between the databases."""
        text = (ROOT / "deploy/cluster/patroni.yml").read_text()
        settings = f"{{fsync: 'off', unix_socket_directories: {self.folder}}}"
        local = f"\npostgresql:\n  pg_hba: {[*TRUST]}\n  parameters: {settings}\n"
        replaced = {
            "name: NODE  #": f"name: {self.name}  #",
            "[192.0.2.1:2379, 192.0.2.2:2379, 192.0.2.3:2379]": f"[{', '.join(etcd.clients)}]",
            "/etc/postgresql-common/sendlayer/": f"{etcd.certificates}/",
            "0.0.0.0:8008": f"127.0.0.1:{rest}",
            "192.0.2.1:8008": f"127.0.0.1:{rest}",
            '"*:5432"': f'"{self.server}"',
            "192.0.2.1:5432": self.server,
            "/var/lib/postgresql/15/main": str(self._data),
            "  config_dir: /etc/postgresql/15/main\n": "",
            "/usr/lib/postgresql/15/bin": self._programs,
            "/var/lib/postgresql/.pgpass-patroni": str(self.folder / "pgpass"),
            "username: sendlayer_replication": "username: postgres",
            "mode: automatic": 'mode: "off"',
            "\npostgresql:\n": local,
        }
        for old, new in replaced.items():
            assert old in text, f"{old} is not in deploy/cluster/patroni.yml"
            text = text.replace(old, new)
        (self.folder / "patroni.yml").write_text(re.sub(r"\n +ssl(mode|rootcert): .*", "", text))

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                ["patroni", str(self.folder / "patroni.yml")],
                cwd=self.folder,
                env=os.environ | {"HOME": str(self.folder)},
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._owner,
            )

    def kill(self):
        """Patroni and PostgreSQL at once, as when the machine is lost."""
        self._process.kill()
        os.kill(int((self._data / "postmaster.pid").read_text().split()[0]), 9)
        self._process.wait()

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def switch_to(self, other):
        assert self.patronictl("switchover", "--leader", self.name, "--candidate", other.name)

    def patronictl(self, verb, *options) -> bool:
        """Whether it succeeded."""
        command = ["patronictl", "-c", self.folder / "patroni.yml", verb, "--force", *options, "sendlayer"]
        return not subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode

    def is_primary(self):
        return self._answers("SELECT NOT pg_is_in_recovery()")

    def is_streaming(self):
        return self._answers("SELECT count(*) > 0 FROM pg_stat_wal_receiver WHERE status = 'streaming'")

    def _answers(self, query) -> bool:
        from psycopg import OperationalError

        try:
            return ask(self.cluster, query)
        except OperationalError:
            return False


class Etcd:
    """Three members with deploy/cluster/etcd.env, on loopback."""

    def __init__(self, folder):
        self.certificates = folder / "certificates"
        make_certificates(self.certificates)
        self.clients, peers = ([f"127.0.0.1:{free_port()}" for _ in range(3)] for _ in range(2))
        replaced = {f"192.0.2.{number}:2380": peer for number, peer in enumerate(peers, start=1)}
        self._environments = [
            self._environment(folder, number, replaced | {"192.0.2.1:2379": client}, peers[number - 1])
            for number, client in enumerate(self.clients, start=1)
        ]
        self._log, self._running = folder / "etcd.log", []
        self.start()

    def _environment(self, folder, number, replaced, peer):
        text = (ROOT / "deploy/cluster/etcd.env").read_text()
        replaced |= {
            "ETCD_NAME=db1": f"ETCD_NAME=db{number}",
            "/var/lib/etcd/sendlayer": f"{folder}/etcd{number}",
            "/etc/etcd/": f"{self.certificates}/",
            "PEER_URLS=https://192.0.2.1:2380": f"PEER_URLS=https://{peer}",
        }
        for old in sorted(replaced, key=len, reverse=True):
            assert old in text, f"{old} is not in deploy/cluster/etcd.env"
            text = text.replace(old, replaced[old])
        return dict(line.split("=", 1) for line in text.splitlines() if line.startswith("ETCD_"))

    def start(self):
        with open(self._log, "ab") as log:
            self._running = [
                subprocess.Popen(["etcd"], env=os.environ | environment, stdout=log, stderr=log)
                for environment in self._environments
            ]

    def kill(self):
        for process in self._running:
            process.kill()
            process.wait()


def make_certificates(folder):
    """A CA, and one pair of it for 127.0.0.1, as README.md makes them."""
    folder.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    authority = ["openssl", "req", "-x509", *key, "-days", "7", "-subj", "/CN=SendLayer cluster"]
    request = ["openssl", "req", *key, "-subj", "/CN=db", "-addext", "subjectAltName=IP:127.0.0.1"]
    sign = ["openssl", "x509", "-req", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "7"]
    for command in (
        [*authority, "-keyout", "ca.key", "-out", "ca.crt"],
        [*request, "-keyout", "server.key", "-out", "server.csr"],
        [*sign, "-copy_extensions", "copy", "-in", "server.csr", "-out", "server.crt"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    for path in folder.iterdir():
        path.chmod(0o644)  # they are thrown away


def wait(condition: Callable, what: str):
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"Waited for {what} in vain."
        time.sleep(0.1)
    return found


def longest_pause(crowd, act: Callable, has_ended: Callable) -> float:
    """Do it while visitors act; return the longest time without a success, until 10 succeeded after its end."""
    from tests.faults.web import answers_of

    began = last = time.monotonic()
    longest, number, enough = 0.0, answers_of(crowd)[302], None
    thread = threading.Thread(target=act)
    thread.start()
    while enough is None or number < enough:
        if (now := answers_of(crowd)[302]) != number:
            longest, last, number = max(longest, time.monotonic() - last), time.monotonic(), now
            enough = enough or (now + 10 if has_ended() else None)
        assert time.monotonic() - began < SECONDS, "Nothing succeeded any more."
        time.sleep(0.02)
    thread.join()
    return longest


class Drill:
    """The hosts, and a dashboard in front of them."""

    def __init__(self, stack: ExitStack, folder: Path):
        from tests.faults.elsewhere import set_up
        from tests.faults.web import site

        self._folder, self.events = folder, folder / "events"
        self._etcd = Etcd(folder)
        stack.callback(self._etcd.kill)
        primary, standbys = stack.enter_context(primary_with_standbys(2))
        self.name, self.session = set_up(primary.url)
        sql = ROOT / "deploy/cluster/patroni.sql"
        password = {"REWIND_PASSWORD": "CHANGE-REWIND-PASSWORD"}
        subprocess.run(["psql", "-Xq", primary.url, "-f", sql], check=True, env=os.environ | password)
        self.hosts = [self._take_over(stack, *pair) for pair in enumerate([primary, *standbys], start=1)]
        servers = ",".join(host.server for host in self.hosts)
        self.url = f"postgres://postgres@{servers}/postgres?target_session_attrs=read-write"
        self.site = stack.enter_context(site(folder, DATABASE_URL=self.url, EVENTS_LOG=str(self.events)))

    def _take_over(self, stack, number, cluster):
        host = Host(f"db{number}", self._folder, cluster, self._etcd)
        cluster.stop()
        host.start()
        stack.callback(host.stop)
        # The primary first: otherwise a standby takes the lead.
        wait(host.is_primary if number == 1 else host.is_streaming, f"{host.name} under Patroni")
        return host

    def leader(self, among=()):
        hosts = among or self.hosts
        return wait(lambda: next((host for host in hosts if host.is_primary()), None), "a leader")

    def measure(self, what: str, act: Callable, has_ended: Callable):
        """Do it under load; print the pause, the answers, and what was lost."""
        from tests.faults.elsewhere import manage, numbers_of
        from tests.faults.web import answers_of, await_acts, lost, visited

        before = set(numbers_of(self.url))
        with visited(self.site.port, self.name, self.session) as crowd:
            await_acts(crowd, 20)
            pause = longest_pause(crowd, act, has_ended)
        numbers = {user: number for user, number in numbers_of(self.url).items() if user not in before}
        reconciled = manage(self.url, "reconcile", str(self.events)).splitlines()[0]
        print(f"{what}: no act succeeded for {pause:.1f} s. Answers: {dict(answers_of(crowd))}. ", end="")
        print(f"Answered and lost: {len(lost(crowd, numbers))}. {reconciled}", flush=True)

    def run(self):
        first, others = self.hosts[0], self.hosts[1:]
        killed = f"{first.name} killed"
        self.measure(killed, first.kill, lambda: any(host.is_primary() for host in others))
        began = time.monotonic()
        first.start()
        wait(first.is_streaming, "the former leader")
        print(f"{first.name} follows {time.monotonic() - began:.1f} s after its start")
        leader = self.leader(others)
        switched = f"switchover from {leader.name} to {first.name}"
        self.measure(switched, lambda: leader.switch_to(first), first.is_primary)
        began = time.monotonic()
        without = f"{WITHOUT_ETCD_SECONDS} s without etcd"
        self.measure(without, self._etcd.kill, lambda: time.monotonic() - began > WITHOUT_ETCD_SECONDS)
        self._etcd.start()
        self.run_synchronously()
        print(f"{self.leader().name} leads. Tracebacks of the dashboard: ", end="")
        print(self.site.log.read_text().count("Traceback"))

    def run_synchronously(self):
        """With synchronous_mode: the standby that each act waits for is lost, and then the leader."""
        leader = self.leader()
        wait(lambda: leader.patronictl("edit-config", "--set", "synchronous_mode=true"), "etcd")
        chosen = "SELECT application_name FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
        name = wait(lambda: ask(leader.cluster, chosen), "a synchronous standby")
        standby = next(host for host in self.hosts if host.name == name)

        def has_another():
            return ask(leader.cluster, chosen) not in (None, name)

        self.measure(f"synchronous standby {name} killed", standby.kill, has_another)
        others = [host for host in self.hosts if host not in (leader, standby)]
        has_ended = others[0].is_primary
        self.measure(f"{leader.name} killed, synchronous", leader.kill, has_ended)


def main() -> int:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "sendlayer.settings"
    django.setup()
    folder = Path(tempfile.mkdtemp(prefix="sendlayer-patroni-"))
    folder.chmod(0o755)
    try:
        with ExitStack() as stack:
            Drill(stack, folder).run()
    except BaseException:
        for log in sorted(folder.glob("*/log")):
            sys.stderr.write(f"--- {log}\n{log.read_text()[-2000:]}\n")
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
