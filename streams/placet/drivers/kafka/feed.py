"""The context topics, read whole by one reader that belongs to no group."""

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.follower import Follower, Place
from placet.drivers.kafka.reader import Reader
from placet.drivers.kafka.topics import partition_counts
from placet.errors import PlacetError
from placet.model.topics import CONTEXT
from placet.ports import Rec

_AT_ONCE = 10_000


class KafkaFeed:
    """Keeps the promises of `placet.ports.Feed` on a cluster."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ends = Reader(connection)
        counts = partition_counts(connection, CONTEXT)
        self._places: list[Place] = [(topic, number) for topic in CONTEXT for number in range(counts[topic])]
        self._follower = self._from_the_start()

    def _from_the_start(self) -> Follower:
        return Follower(self._connection, {place: self._ends.bounds(*place)[0] for place in self._places})

    def catch_up(self) -> list[Rec]:
        """Return everything up to the ends as they were at the call, open transactions waited out.

        Raise `Unavailable` when nothing moves for the connection's `stall_ms`.
        """
        return self._follower.reach({place: self._ends.bounds(*place)[1] for place in self._places})

    def again(self) -> list[Rec]:
        """Return everything from the beginning once more, up to the ends as they were at the call."""
        before, self._follower = self._follower, self._from_the_start()
        before.close()
        return self.catch_up()

    def take(self) -> list[Rec]:
        """Return what came since, without waiting; of very much a part, and the rest with the next calls."""
        found: list[Rec] = []
        try:
            while len(found) < _AT_ONCE and (more := self._follower.take(_AT_ONCE, 0)):
                found += more
        except PlacetError:
            # Nobody has heard these yet: they come first once the fault has passed.
            self._follower.give_back(found)
            raise
        return found

    def close(self) -> None:
        """Give the clients back."""
        self._follower.close()
        self._ends.close()
