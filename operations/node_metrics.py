"""Figures of mail servers for a monitor: one of each kind for each node, by the names that they report."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from credentials.models import Node

MOST = 1_000  # nodes


def figures(now: datetime) -> list[dict]:
    """Return the figures of each node as it has reported last, in seconds, plain for the cache.

    None for a node without a replica, or one that never had a heartbeat. Raises django.db.Error.
    """
    return [
        {
            "labels": [node.name, node.role],
            "last_seen": node.last_seen_at.timestamp(),
            "lag": node.lag and node.lag.total_seconds(),
            "lease": node.lease_ends_at and (node.lease_ends_at - now).total_seconds(),
        }
        for node in Node.objects.with_lease().order_by("name", "role")[:MOST]
    ]


def families(found: list[dict]) -> Iterator[Any]:
    """Yield them as families of prometheus_client."""
    from prometheus_client.core import GaugeMetricFamily

    kinds = {
        "last_seen_timestamp_seconds": ("When the node reported itself last.", "last_seen"),
        "lag_seconds": ("Age of the newest heartbeat that its replica had then.", "lag"),
        "lease_seconds": ("Seconds until it refuses every login without another heartbeat.", "lease"),
    }
    for name, (text, column) in kinds.items():
        family = GaugeMetricFamily(f"sendlayer_node_{name}", text, labels=["node", "role"])
        for node in found:
            if node[column] is not None:
                family.add_metric(node["labels"], node[column])
        yield family
