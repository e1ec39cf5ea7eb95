"""How far the brokers' clocks are from this one: each is asked for an append time, on a topic of the doctor's own."""

from collections.abc import Iterator

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from placet.drivers.finding import Finding, fault, warning
from placet.drivers.kafka.acls import DOCTOR_TOPIC
from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.faults import cause_of
from placet.ports import Clock

_ANSWER_S = 15.0
_ROUNDS = 3


def clock_findings(connection: Connection, clock: Clock, skew_ms_max: int) -> list[Finding]:
    """Return one finding for every broker whose clock is farther from `clock` than `skew_ms_max`.

    A topic `placet-doctor` is made, written and removed again. Without the
    right to do so the finding says that the clocks are not known.
    """
    title = connection.prefix + DOCTOR_TOPIC
    admin = connection.outside.admin(connection.client())
    try:
        nodes = sorted(admin.list_topics(timeout=_ANSWER_S).brokers)
        _make(admin, title, nodes)
        try:
            return list(_compare(connection, title, nodes, clock, skew_ms_max))
        finally:
            admin.delete_topics([title], operation_timeout=_ANSWER_S)[title].result(_ANSWER_S)
    except KafkaException as error:
        told = f"could not be asked: {cause_of(error).str()}"
        return [warning("clock-unknown", title, told, "an answer", "give the administrator's role its rights")]


def _make(admin: AdminClient, title: str, nodes: list[int]) -> None:
    # One partition a broker: the append time is that of its leader.
    new = NewTopic(
        title,
        len(nodes),
        replica_assignment=[[node] for node in nodes],
        config={"message.timestamp.type": "LogAppendTime", "min.insync.replicas": "1", "retention.ms": "3600000"},
    )
    try:
        admin.create_topics([new], operation_timeout=_ANSWER_S)[title].result(_ANSWER_S)
    except KafkaException as error:
        if cause_of(error).code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def _compare(connection: Connection, title: str, nodes: list[int], clock: Clock, skew_ms_max: int) -> Iterator[Finding]:
    # A transaction's producer is refused a topic it was not told of; this one writes plainly.
    producer = connection.outside.producer({**connection.writer(), "enable.idempotence": False})
    try:
        for partition, node in enumerate(nodes):
            # The first answer waits for connections; what counts is the quickest, which bounds the error of the others.
            asked = [_ask(producer, title, partition, clock) for _ in range(_ROUNDS)]
            before, at, after = min(asked, key=lambda one: one[2] - one[0])
            ahead = max(at - after, 0) - max(before - at, 0)
            if abs(ahead) > skew_ms_max:
                told = f"its clock is {abs(ahead)} ms {'ahead of' if ahead > 0 else 'behind'} this one"
                next_ = "let both follow one time server: leases and lag are measured with these clocks"
                yield fault("clock-skew", f"broker {node}", told, f"at most {skew_ms_max} ms", next_)
    finally:
        producer.flush(_ANSWER_S)


def _ask(producer: Producer, title: str, partition: int, clock: Clock) -> tuple[int, int, int]:
    """Return this clock's reading before, the broker's append time, and this clock's reading after, ms."""
    told: list[tuple[KafkaError | None, int]] = []

    def note(error: KafkaError | None, message: Message) -> None:
        told.append((error, message.timestamp()[1]))

    before = clock.now_ms()
    producer.produce(title, b"time", b"doctor", partition, on_delivery=note)
    while not told:
        producer.poll(0.01)
    error, at = told[0]
    if error is not None:
        raise KafkaException(error)
    return before, at, clock.now_ms()
