"""What a notary reads on a cluster: decisions and context, read committed, by one client that belongs to no group."""

from collections.abc import Mapping

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.follower import Follower
from placet.drivers.kafka.reader import Reader
from placet.drivers.kafka.topics import partition_counts
from placet.errors import Behind, Corrupted
from placet.model.topics import SPECS, Topic
from placet.ports import Rec


class KafkaSource:
    """Keeps the promises of `placet.drivers.ledger.sources.Source` on a cluster."""

    def __init__(
        self, connection: Connection, topics: tuple[Topic, ...], places: Mapping[tuple[int, int], int]
    ) -> None:
        """Begin at `places`.

        Raise `Behind` where the cluster shows less than the log has read, `Corrupted` where decisions
        that the log has still to read are gone.
        """
        counts = partition_counts(connection, topics)
        starts = {
            (topic, partition): places.get((int(topic), partition), 0)
            for topic in topics
            for partition in range(counts[topic])
        }
        ends = Reader(connection)
        try:
            for (topic, partition), offset in starts.items():
                low, end = ends.bounds(topic, partition)
                if 0 < offset < low and not SPECS[topic].compacted:
                    raise Corrupted(
                        f"{connection.title(topic)}/{partition} begins at {low}, the provenance log has read to {offset}: "
                        "what lay between is gone"
                    )
                if end < offset:
                    raise Behind(
                        f"{connection.title(topic)}/{partition} ends at {end}, the provenance log has read to {offset}: "
                        "refusing to log another past"
                    )
        finally:
            ends.close()
        self._follower = Follower(connection, starts)

    def take(self, most: int, wait_ms: int) -> list[Rec]:
        """Return what comes, of all partitions together."""
        return self._follower.take(most, wait_ms)

    def logged(self, places: Mapping[tuple[int, int], int]) -> None:
        """Nothing is kept for a notary: a topic is compacted no sooner than its own lag says."""

    def close(self) -> None:
        """Give the client back."""
        self._follower.close()
