"""Measure what many mail nodes write at one primary, and what an act waits for meanwhile.

`python -m bench.nodes [NODES …]`. A simulated node does what `manage.py reports` with a replica does: report
itself each second, and write the logins of its SMTP users together, as often as that does. There are no
standbys: the bytes of WAL say what each of them would receive. The nodes' processes run on the same machine,
so their share of its processors is printed beside the server's.
"""

import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
from itertools import islice
from pathlib import Path

from bench import site
from tests.with_postgres import cluster

NODES = (10, 100, 1000)
SECONDS = 20
PROCESSES = 4
CREDENTIALS = 10_000
LOGINS = 20  # SMTP users that log in at a node between two writes
DELETES_EVERY = 0.1  # seconds
SETTINGS = ("max_connections=200", "shared_buffers=512MB")  # with fsync, as in production
TICKS = os.sysconf("SC_CLK_TCK")


def main(*numbers: str) -> None:
    var_dir = site.set_environment()
    with site.cleaned_up(var_dir), cluster(SETTINGS) as server:
        os.environ["DATABASE_URL"] = server.url
        site.manage("migrate", "-v0")
        import django

        django.setup()
        usernames = _fill()
        Path(var_dir, "usernames").write_text("\n".join(usernames[CREDENTIALS // 2 :]))
        deletable = iter(usernames[: CREDENTIALS // 2])
        print("nodes  turns/s (due)  turn ms p50/p99  delete ms p50/p99  WAL kB/s  processors: server/nodes")
        for number in map(int, numbers or NODES):
            print(_figures(number, server.process, deletable), flush=True)


def _figures(number: int, server: int, deletable) -> str:
    children = min(PROCESSES, number)
    shares = [number // children + (child < number % children) for child in range(children)]
    wal, used, own = _wal(), _server_seconds(server), resource.getrusage(resource.RUSAGE_CHILDREN)
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.nodes", "--nodes", f"{number}-{child}", str(share)],
            stdout=subprocess.PIPE,
            cwd=site.ROOT,
        )
        for child, share in enumerate(shares)
    ]
    deletes = _delete_until(workers, deletable)
    turns = [turn for worker in workers for turn in json.loads(worker.communicate()[0])]
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    nodes = now.ru_utime + now.ru_stime - own.ru_utime - own.ru_stime
    return (
        f"{number:5}  {len(turns) / SECONDS:7.0f} ({number})  {_percentiles(turns)}  {_percentiles(deletes)}  "
        f"{(_wal() - wal) / SECONDS / 1000:8.0f}  "
        f"{(_server_seconds(server) - used) / SECONDS:.2f}/{nodes / SECONDS:.2f}"
    )


def _delete_until(workers, deletable) -> list[float]:
    from credentials.models import Credential
    from tests.factories import SYSTEM

    took = []
    while any(worker.poll() is None for worker in workers):
        credential = Credential.objects.get(username=next(deletable))
        started = time.perf_counter()
        credential.remove(by=SYSTEM)
        took.append(time.perf_counter() - started)
        time.sleep(DELETES_EVERY)
    return took


def _nodes(name: str, share: int) -> None:
    """Be so many nodes for SECONDS; print how long each of their turns took."""
    import django

    django.setup()
    usernames = Path(os.environ["VAR_DIR"], "usernames").read_text().split()
    turns: list[float] = []
    until = time.monotonic() + SECONDS
    waiting = [(time.monotonic() + random.random(), f"node-{name}-{index}", 0.0) for index in range(share)]  # noqa: S311
    lock = threading.Lock()
    threads = [threading.Thread(target=_serve, args=(waiting, lock, until, usernames, turns)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(turns))


def _serve(waiting, lock, until, usernames, turns) -> None:
    """Do the turns of nodes as they are due; each has its next a second after it was due."""
    from django.db import connection

    while time.monotonic() < until:
        with lock:
            waiting.sort()
            turn = waiting.pop(0) if waiting and waiting[0][0] <= time.monotonic() else None
        if turn is None:
            time.sleep(0.005)
            continue
        due, node, write_at = turn
        started = time.perf_counter()
        took = _turn(node, usernames, is_writing=write_at <= due)
        turns.append(time.perf_counter() - started)
        with lock:
            waiting.append((max(due + 1, time.monotonic()), node, max(due + took, write_at)))
    connection.close()


def _turn(node: str, usernames: list[str], *, is_writing: bool) -> float:
    """Report a node, and write the logins there; return the seconds until it writes again."""
    from credentials.models import Node
    from credentials.outcome import Outcome
    from credentials.usage.tally import Tally, pause_after
    from submission.write_behind import WRITE_EVERY_SECONDS

    Node.objects.report(node, Node.Role.POSTFIX, version="1", has_replica=True)
    if not is_writing:
        return 0
    tally = Tally()
    for username in random.sample(usernames, LOGINS):
        tally.add(username, "203.0.113.7", Outcome.ACCEPTED)
    started = time.monotonic()
    tally.write()
    return pause_after(time.monotonic() - started, WRITE_EVERY_SECONDS)


def _fill() -> list[str]:
    from django.utils import timezone

    from accounts.models import User
    from credentials.models import Credential
    from domains.models import Domain

    now, user = timezone.now(), User.objects.create_user("nodes@example.com", None)
    names = [f"node-{n}.example.com" for n in range(CREDENTIALS // site.CREDENTIALS_EACH)]
    rows = (Domain(name=name, display_name=name, authorized_at=now, created_by=user) for name in names)
    site.issue_many(Domain.objects.bulk_create(rows), now)
    return list(islice(Credential.objects.order_by("?").values_list("username", flat=True), CREDENTIALS))


def _percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds) or [0.0]
    return " / ".join(f"{1000 * ordered[int(share * (len(ordered) - 1))]:6.1f}" for share in (0.5, 0.99))


def _wal() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def _server_seconds(server: int) -> float:
    """Processor time of a PostgreSQL server and of its processes, those that have ended included."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == server:
            total += sum(map(int, fields[11 : 15 if stat.parent.name == str(server) else 13]))
    return total / TICKS


if __name__ == "__main__":
    if sys.argv[1:2] == ["--nodes"]:
        _nodes(sys.argv[2], int(sys.argv[3]))
    else:
        main(*sys.argv[1:])
