"""What deploy/cluster/README.md promises, tried on running hosts. Each function shows its figures."""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.cluster.acts import Deleted, Deleting, Lookup, as_admin, reconcile
from tests.cluster.figures import Figures, answers
from tests.cluster.hosts import Host
from tests.cluster.sites import Login, Sites

LEASE, CLOCKS = 5, 1
PROMISE = LEASE + CLOCKS
# Logins a second at each node; fewer where none is answered for 10 to 20 s, each by a process of Postfix.
RATE, RATE_OUT = 50, 8
DELETES_A_SECOND = 20
# On a busy machine there are fewer deletes than wanted.
SECONDS_A_DELETE = 0.6
POLL_SECONDS = 0.002
CUT_SECONDS, PRIMARY_AWAY_SECONDS = 25, 20
# In which a node has to serve again; what it takes is shown.
RECOVERY_SECONDS = 90
# A commit that waited for a node that is cut off would take longer than this.
COMMIT_SECONDS = 5
LOST_TAIL = 5
# At most, in all proofs but the first.
MORE_DELETES = CUT_SECONDS * 10 + LOST_TAIL + 10


@dataclass
class Cluster:
    """The hosts and their clients' namespace; `credentials` are [username, password] that are in force."""

    primary: Host
    nodes: list[Host]
    clients: str
    credentials: list[list[str]]
    figures: Figures
    deleted: list[Deleted] = field(default_factory=list)

    @contextmanager
    def sites(self, *rates: int):
        """Logins at each node until the block ends and all are answered."""
        running = [Sites(node, self.clients, self.credentials) for node in self.nodes]
        try:
            for sites, rate in zip(running, rates, strict=True):
                sites.say(rate=rate)
            yield running
        finally:
            for sites in running:
                sites.stop()

    def delete(self, deleting: Deleting, sites: list[Sites]) -> Deleted:
        """Delete the last of the credentials; the sites go on to try it. Raises Failed."""
        pair = self.credentials.pop()
        deleted = deleting.delete(pair[0])
        self.deleted.append(deleted)
        for each in sites:
            each.say(revoked=pair)
        return deleted

    def accepted_after_commit(self, logins: list[Login]) -> list[float]:
        """How long after COMMIT each accepted login with a deleted credential began."""
        committed = {deleted.username: deleted.committed for deleted in self.deleted}
        ages = [
            login.began - committed.get(login.username, login.began) for login in logins if login.is_accepted
        ]
        return [age for age in ages if age > 0]

    def in_force(self, logins: list[Login]) -> list[Login]:
        """Those with a credential that wasn't deleted."""
        deleted = {deleted.username for deleted in self.deleted}
        return [login for login in logins if login.username not in deleted]


class Watch:
    """Asks a node's lookup function without pause until a credential is refused."""

    def __init__(self, node: Host):
        self._lookup, self._thread, self._refused_at = Lookup(node), None, 0.0

    def begin(self, username: str) -> None:
        self._thread = threading.Thread(target=self._run, args=[username])
        self._thread.start()

    def _run(self, username: str) -> None:
        while self._lookup.is_accepted(username):
            time.sleep(POLL_SECONDS)
        self._refused_at = time.time()

    def end(self) -> float:
        """Return when the first refusal was there."""
        self._thread.join()
        return self._refused_at

    def close(self) -> None:
        self._lookup.close()


def deletes_under_load(cluster: Cluster, number: int, rate: int = RATE) -> None:
    """Delete so many credentials while sites log in, and time each until the nodes refuse it."""
    commits: list[float] = []
    took: list[list[float]] = [[] for _ in cluster.nodes]
    deleting, watches = Deleting(cluster.primary), [Watch(node) for node in cluster.nodes]
    with cluster.sites(*[rate] * len(cluster.nodes)) as running:
        time.sleep(1)
        began = time.time()
        for count in range(number):
            time.sleep(max(0, began + count / DELETES_A_SECOND - time.time()))
            if time.time() > began + 10 + number * SECONDS_A_DELETE:
                break
            for watch in watches:
                watch.begin(cluster.credentials[-1][0])
            deleted = cluster.delete(deleting, running)
            commits.append(deleted.committed - deleted.committing)
            for times, watch in zip(took, watches, strict=True):
                times.append(watch.end() - deleted.committed)
        seconds = time.time() - began
        time.sleep(PROMISE + 2)
    for each in (deleting, *watches):
        each.close()
    cluster.figures.times(f"{len(commits)} deletes in {seconds:.0f} s: COMMIT took", commits)
    for sites, times in zip(running, took, strict=True):
        cluster.figures.times(f"{sites.node.name}: from COMMIT until the lookup function refuses", times)
        _show_logins(cluster, sites)


def _show_logins(cluster: Cluster, sites: Sites) -> None:
    name, figures = sites.node.name, cluster.figures
    after = cluster.accepted_after_commit(sites.logins)
    rate = len(sites.logins) / (max(login.began for login in sites.logins) - sites.logins[0].began)
    figures.show(f"{name}: logins of sites, {rate:.0f} a second, by answer", answers(sites.logins))
    figures.show(
        f"{name}: accepted, begun after COMMIT: number, latest", f"{len(after)}, {max(after, default=0):.3f} s"
    )
    late = sum(age > PROMISE for age in after)
    figures.promise(f"{name}: accepted, begun {PROMISE} s after COMMIT or later", late, late == 0)
    refused = [login for login in cluster.in_force(sites.logins) if not login.is_accepted]
    figures.promise(f"{name}: refused though in force", answers(refused), not refused)


def cut_off(cluster: Cluster) -> None:
    """Cut the first node off from the other hosts, for longer than its lease; heal it."""
    node, figures, deleting = cluster.nodes[0], cluster.figures, Deleting(cluster.primary)
    commits = []
    with cluster.sites(RATE_OUT, RATE) as (cut, other):
        time.sleep(3)
        node.cut_off_from(cluster.primary, *cluster.nodes[1:])
        began = time.time()
        while time.time() < began + CUT_SECONDS:
            deleted = cluster.delete(deleting, [cut, other])
            commits.append(deleted.committed - deleted.committing)
            time.sleep(0.1)
        node.firewall()
        healed = time.time()
        _wait_for_login(cut, healed)
        time.sleep(3)
    deleting.close()
    during = cut.between(began, healed)
    _show_refusal(cluster, f"{node.name}, cut off", began, during)
    _show_recovery(cluster, f"{node.name}, healed", healed, cut)
    figures.times(f"{len(commits)} deletes in the meantime: COMMIT took", commits)
    figures.promise("no commit waited for the node that is cut off", "–", max(commits) < COMMIT_SECONDS)
    _show_logins(cluster, other)


def _show_refusal(cluster: Cluster, name: str, moment: float, logins: list[Login]) -> None:
    """That a node which is on its own goes on, then says "come again", and never "wrong password"."""
    figures = cluster.figures
    accepted = [login.began - moment for login in logins if login.is_accepted]
    figures.show(f"{name}: last accepted login began after", f"{max(accepted, default=0):.1f} s")
    late = sum(age > PROMISE for age in accepted)
    figures.promise(f"{name}: accepted, begun after {PROMISE} s", late, late == 0)
    after = cluster.accepted_after_commit(logins)
    late = sum(age > PROMISE for age in after)
    figures.promise(f"{name}: deleted, but accepted {PROMISE} s after COMMIT", late, late == 0)
    in_force = cluster.in_force(logins)
    figures.show(f"{name}: logins with what is in force, by answer", answers(in_force))
    forever = [login for login in in_force if login.answer.startswith("5")]
    figures.promise(f"{name}: of these, told 535 or another 5xx", len(forever), not forever)
    told = sum(login.answer.startswith("4") for login in in_force)
    figures.promise(f"{name}: of these, told 4xx", told, told > 0)


def _show_recovery(cluster: Cluster, name: str, moment: float, sites: Sites) -> None:
    accepted = [login for login in sites.since(moment) if login.is_accepted]
    served = bool(accepted)
    first = f"{min(login.ended for login in accepted) - moment:.1f} s" if served else "never"
    cluster.figures.promise(f"{name}: serves again after", first, served)


def _wait_for_login(sites: Sites, moment: float) -> None:
    deadline = time.time() + RECOVERY_SECONDS
    while time.time() < deadline and not any(login.is_accepted for login in sites.since(moment)):
        time.sleep(0.1)


def failover(cluster: Cluster) -> None:
    """Kill the primary's PostgreSQL with acts that no standby has; promote the first node's standby."""
    deleting, (promoted, _) = Deleting(cluster.primary), cluster.nodes
    with cluster.sites(RATE_OUT, RATE_OUT) as running:
        cluster.delete(deleting, running)
        time.sleep(3)
        cluster.primary.cut_off_from(*cluster.nodes)
        lost = time.time()
        tail = [cluster.delete(deleting, running) for _ in range(LOST_TAIL)]
        cluster.primary.run("kill -KILL $(head -1 /var/lib/postgresql/*/main/postmaster.pid)")
        # Until the standbys have given up: what is on its way to them would arrive otherwise.
        time.sleep(PRIMARY_AWAY_SECONDS)
        cluster.primary.firewall()
        at = time.time()
        as_admin(promoted, "SELECT pg_promote()")
        took = time.time() - at
        for sites in running:
            _wait_for_login(sites, at)
    deleting.close()
    for sites in running:
        during = sites.between(lost, at)
        _show_refusal(cluster, f"{sites.node.name}, primary lost", lost, during)
    cluster.figures.show(f"{promoted.name}: pg_promote took", f"{took:.1f} s")
    for sites in running:
        _show_recovery(cluster, f"{sites.node.name}, {promoted.name} promoted", at, sites)
    _show_tail(cluster, promoted, tail)


def _show_tail(cluster: Cluster, promoted: Host, tail: list[Deleted]) -> None:
    """That only acts which no standby could get are missing, and that `reconcile` revokes these again."""
    figures, lost = cluster.figures, _accepted(cluster, promoted)
    figures.show(
        "revocations acknowledged, of these lost with the primary", f"{len(cluster.deleted)}, {len(lost)}"
    )
    others = lost - {deleted.username for deleted in tail}
    figures.promise("lost, though a standby had been told", len(others), not others)
    said = reconcile(cluster.primary, promoted)
    # Before it are the letters to owners, since the hosts send no mail.
    summary = next(line for line in said.splitlines() if line.startswith("Events read"))
    figures.show("reconcile, with what the dashboard's host had noted", summary)
    unnamed = [name for name in lost if name[:8] not in said]
    figures.promise("lost, and not named by reconcile", len(unnamed), not unnamed)
    left = _accepted(cluster, promoted)
    figures.promise("acknowledged revocations, accepted after reconcile", len(left), not left)


def _accepted(cluster: Cluster, node: Host) -> set[str]:
    """Usernames that were deleted, and that the node accepts."""
    lookup = Lookup(node)
    try:
        return {deleted.username for deleted in cluster.deleted if lookup.is_accepted(deleted.username)}
    finally:
        lookup.close()
