"""`confluent_kafka.Consumer` over a simulated cluster, as far as placet uses it."""

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    KafkaError,
    Message,
    TopicPartition,
)

from tests.sim.group import Membership, Position
from tests.sim.link import Link, Lost
from tests.sim.metadata import cluster_metadata
from tests.sim.partition import Entry, Partition
from tests.sim.refusals import Refused, plain
from tests.sim.seat import Seat

Rebalanced = Callable[["SimConsumer", list[TopicPartition]], None]
_AGAIN_MS = 20.0
_NOWHERE = -1001
_FENCED = "Fatal error: Static consumer fenced by other consumer with same group.instance.id"
_FETCH_MOST = 500
_AGAIN_EACH, _AGAIN = 11, 3
"""A client that comes to a multiple of the one begins the other earlier, once, as real ones do after a change of leader."""


class SimConsumer:
    """Fetches from where it was assigned; as a member of a group it hears of rebalances in `poll` only."""

    def __init__(self, config: Mapping[str, Any], link: Link) -> None:
        self._link = link
        self._time = link.timeline
        self._group = link.cluster.group(config["group.id"])
        self._instance: str = config.get("group.instance.id", "")
        self._committed = config.get("isolation.level", "read_committed") == "read_committed"
        self._eof = bool(config.get("enable.partition.eof", False))
        self._reset: str = config.get("auto.offset.reset", "latest")
        self._at: dict[Position, int] = {}
        self._told_end: dict[Position, int] = {}
        self._brought: dict[Position, int] = {}
        self._turn = 0
        self._seat = Seat(link, self._group, self._instance, config.get("session.timeout.ms", 45_000))
        self._generation = -1
        self._placed = False
        self._fault: KafkaError | None = None
        self._calls: dict[str, Rebalanced | None] = {}

    # The group

    def subscribe(
        self,
        topics: list[str],
        on_assign: Rebalanced | None = None,
        on_revoke: Rebalanced | None = None,
        on_lost: Rebalanced | None = None,
    ) -> None:
        self._calls = {"assign": on_assign, "revoke": on_revoke, "lost": on_lost or on_revoke}
        self._seat.take(tuple(topics))

    def _serve(self) -> Message | None:
        """Deliver what the group has said since; return an error if it is one."""
        seat = self._seat
        if seat.topics and seat.member is None:
            seat.join()
        while seat.news:
            what, generation = seat.news.pop(0)
            if what == "fenced":
                seat.give_up()
                self._fault = KafkaError(KafkaError._FATAL, _FENCED, True)
            elif what == "lost":
                seat.lose()
                self._generation = -1
                self._tell("lost", [])
                seat.join()
            elif seat.member is not None:
                member, given = seat.member, [TopicPartition(*place) for place in seat.member.partitions]
                if what == "assign":
                    self._generation = generation
                self._tell(what, given)
                if what == "revoke":
                    self._group.rejoin(member)
        return None if self._fault is None else Message(error=self._fault)

    def _tell(self, what: str, partitions: list[TopicPartition]) -> None:
        """Call back; where nobody says what to read, begin at the group's positions."""
        call, self._placed = self._calls[what], False
        if call is not None:
            call(self, partitions)
        if self._placed:
            return
        known = self._group.positions
        self.assign(
            [
                TopicPartition(one.topic, one.partition, known.get((one.topic, one.partition), _NOWHERE))
                for one in partitions
            ]
            if what == "assign"
            else []
        )

    def consumer_group_metadata(self) -> Membership:
        member = self._seat.member
        return Membership(self._group.name, self._generation, member.id if member else "", self._instance)

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """Return committed positions; wait for transactions that may move them."""
        until = self._time.now + timeout * 1_000
        places = [(one.topic, one.partition) for one in partitions]
        while True:
            try:
                found = self._link.ask("OffsetFetch", lambda: self._stable(places))
            except Lost:
                found = None
            if found is not None:
                return [TopicPartition(*place, found.get(place, _NOWHERE)) for place in places]
            if self._time.now >= until:
                raise plain(KafkaError._TIMED_OUT, "Failed to get committed offsets: Local: Timed out")
            self._time.pause(_AGAIN_MS)

    def _stable(self, places: list[Position]) -> dict[Position, int] | None:
        if not all(self._group.stable(place) for place in places):
            return None
        return {place: self._group.positions[place] for place in places if place in self._group.positions}

    # Records

    def assign(self, partitions: list[TopicPartition]) -> None:
        self._listen(None)
        self._placed = True
        self._at = {(one.topic, one.partition): one.offset for one in partitions}
        self._told_end.clear()
        self._listen(self._seat.wake)

    def _listen(self, call: Callable[[], None] | None) -> None:
        for title, number in self._at:
            listeners = self._link.cluster.at(title, number).listeners
            if call is None:
                listeners.pop(id(self._seat), None)
            else:
                listeners[id(self._seat)] = call

    def unassign(self) -> None:
        self.assign([])

    def position(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        return [
            TopicPartition(p.topic, p.partition, self._at.get((p.topic, p.partition), _NOWHERE)) for p in partitions
        ]

    def poll(self, timeout: float = -1) -> Message | None:
        until = self._time.now + timeout * 1_000
        while True:
            self._link.check()
            error = self._serve()
            if error is not None:
                return error
            found = self._some(1)
            if found:
                return found[0]
            left = until - self._time.now
            if left <= 0:
                return None
            self._seat.wait(left)

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        return self._some(num_messages)

    def _some(self, most: int) -> list[Message]:
        """Return what lies there, of one partition after the other."""
        found: list[Message] = []
        if self._link.silent_since is not None:
            return found
        places = list(self._at)
        for step in range(len(places)):
            place = places[(self._turn + step) % len(places)]
            found += self._read(place, most - len(found))
            if len(found) >= most:
                self._turn += step
                break
        return found

    def _read(self, place: Position, most: int) -> list[Message]:
        try:
            partition = self._link.cluster.at(*place)
        except Refused as no:
            del self._at[place]
            return [Message(topic=place[0], partition=place[1], error=KafkaError(no.code))]
        at = self._at[place]
        if at in {OFFSET_BEGINNING, OFFSET_END}:
            at = self._at[place] = partition.next if at == OFFSET_END else partition.low
        if not partition.low <= at <= partition.next:
            return self._out_of_range(place, partition)
        if at % _AGAIN_EACH == 0 and at > self._brought.get(place, 0):
            # After a change of leader a client may begin a little earlier than it was.
            self._brought[place] = at
            at = max(partition.low, at - _AGAIN)
        entries, at = partition.fetch(at, min(most, _FETCH_MOST), committed=self._committed)
        self._at[place] = at
        stamped = self._link.cluster.configs[place[0]].get("message.timestamp.type") == "LogAppendTime"
        kind = TIMESTAMP_LOG_APPEND_TIME if stamped else TIMESTAMP_CREATE_TIME
        messages = [_message(place, entry, kind) for entry in entries]
        end = partition.stable if self._committed else partition.next
        if self._eof and len(messages) < most and at == end and self._told_end.get(place) != end:
            self._told_end[place] = end
            error = KafkaError(KafkaError._PARTITION_EOF, "Fetch from broker reached end of partition")
            messages.append(Message(topic=place[0], partition=place[1], offset=at, error=error))
        return messages

    def _out_of_range(self, place: Position, partition: Partition) -> list[Message]:
        if self._reset != "error":
            self._at[place] = partition.low if self._reset in ("earliest", "smallest", "beginning") else partition.next
            return []
        offset = self._at.pop(place)
        error = KafkaError(KafkaError._AUTO_OFFSET_RESET, "Broker: Offset out of range")
        return [Message(topic=place[0], partition=place[1], offset=offset, error=error)]

    # What is known of the cluster

    def get_watermark_offsets(self, partition: TopicPartition, timeout: float = -1) -> tuple[int, int]:
        def ends() -> tuple[int, int]:
            found = self._link.cluster.at(partition.topic, partition.partition)
            return found.low, found.stable if self._committed else found.next

        try:
            return self._link.ask("ListOffsets", ends)
        except Lost:
            raise plain(KafkaError._TIMED_OUT, "Failed to get watermark offsets: Local: Timed out") from None
        except Refused as no:
            raise plain(no.code, str(no)) from None

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> Any:
        return cluster_metadata(self._link, timeout)

    def close(self) -> None:
        """Leave; a static member says nothing, and its place waits for it."""
        self._listen(None)
        self._at = {}
        self._seat.give_up()

    def __del__(self) -> None:
        self.close()


def _message(place: Position, entry: Entry, kind: int) -> Message:
    return Message(
        topic=place[0],
        partition=place[1],
        offset=entry.offset,
        key=entry.key,
        value=entry.value,
        timestamp=(kind, entry.at),
    )
