"""`python -m tests.cluster`: what deploy/cluster/README.md promises, on three hosts that its commands made.

CLUSTER_FACTOR times 100 deletes under load, then a node is cut off, then the primary is lost.
"""

import argparse
import os
import sys
import time

from tests.cluster import acts, hosts, proofs, walk
from tests.cluster.figures import Figures

DELETES = 100
CONFIRMED = """
SELECT string_agg(name || ': ' || number, ', ' ORDER BY name) FROM (
  SELECT node.name, count(*) AS number FROM credentials_refusalseen
  JOIN credentials_node AS node ON node.id = node_id GROUP BY 1) AS by_node
"""
AFTER_FAILOVER = 10
# In force all the time, besides those that the proofs delete.
IN_FORCE = 100


def prove(cluster: dict[str, hosts.Host], clients: str, figures: Figures, number: int) -> None:
    primary, *nodes = cluster.values()
    credentials = acts.issue(primary, number + proofs.MORE_DELETES + AFTER_FAILOVER + IN_FORCE)
    running = proofs.Cluster(primary, nodes, clients, credentials, figures)
    proofs.deletes_under_load(running, number)
    # What the dashboard's page of each SMTP user shows as "Refused within … ms".
    figures.show("revocations that each node's reports has confirmed", acts.as_admin(primary, CONFIRMED))
    proofs.cut_off(running)
    proofs.failover(running)
    proofs.deletes_under_load(running, AFTER_FAILOVER)


def main() -> int:
    parser = argparse.ArgumentParser(description="Prove what deploy/cluster/README.md promises.")
    parser.add_argument("--hold", action="store_true", help="keep the hosts until Enter is pressed")
    parser.add_argument("--twice", action="store_true", help="do each block of the page two times in a row")
    options = parser.parse_args()
    hosts.apart()
    number = int(DELETES * float(os.environ.get("CLUSTER_FACTOR", "1")))
    figures, began = Figures(), time.time()
    with hosts.hosts() as (cluster, clients):
        primary, *nodes = cluster.values()
        try:
            walk.make_primary(primary, twice=options.twice)
            walk.make_nodes(primary, nodes, twice=options.twice)
            walk.see(primary, nodes[0])
            figures.show("minutes from bare hosts to the last command", f"{(time.time() - began) / 60:.1f}")
            prove(cluster, clients, figures, number)
        except walk.Wrong as fault:
            figures.promise("deploy/cluster/README.md", fault, False)
        if options.hold:
            input("The hosts are up. Enter ends them.")
    print(f"{figures.promises - len(figures.broken)} passed, {len(figures.broken)} failed")
    return 1 if figures.broken else 0


if __name__ == "__main__":
    sys.exit(main())
