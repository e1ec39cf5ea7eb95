"""What clients hear of a simulated cluster as a whole: the shape that librdkafka gives its metadata."""

from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError

from tests.sim.link import Link, Lost
from tests.sim.refusals import plain


def cluster_metadata(link: Link, timeout: float) -> Any:
    """Return topics, partitions and the cluster's id. Raise as librdkafka when nobody answers."""
    try:
        return link.ask("Metadata", lambda: _metadata(link))
    except Lost:
        raise plain(KafkaError._TRANSPORT, "Failed to get metadata: Local: Broker transport failure") from None


def _metadata(link: Link) -> Any:
    topics = {
        title: SimpleNamespace(
            error=None,
            partitions={one.number: SimpleNamespace(leader=1, replicas=[1], error=None) for one in partitions},
        )
        for title, partitions in link.cluster.topics.items()
    }
    return SimpleNamespace(cluster_id=link.cluster.id, topics=topics, brokers={1: SimpleNamespace(id=1)})
