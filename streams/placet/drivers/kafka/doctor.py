"""What can be wrong with a cluster, as a table of checks over what was seen of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from placet.drivers.finding import Finding, fault, warning
from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.differences import Mend, differences
from placet.drivers.kafka.seen import Seen
from placet.model.topics import DAY_MS, TOPICS, Topic

SESSION_MS = 6_000
TRANSACTION_MS = 6_000
CLEANUP_MS = 1_000
"""The three whose sum is the published time to recover by another slot."""
POSITIONS_MINUTES = 7 * 24 * 60
RATE_MOST = 9_000
"""Records a second of one partition from which on there is a word about it: half of what one desk decides."""
_APPLY = "`placet topics apply`"


@dataclass(frozen=True, slots=True)
class Wants:
    """What this installation was told: copies of a partition, and the two timeouts of its workers, ms.

    `partitions` of 0: whatever the intents have. `record_bytes` is the largest input a desk takes.
    """

    replicas: int = 3
    partitions: int = 0
    session_ms: int = SESSION_MS
    transaction_ms: int = TRANSACTION_MS
    record_bytes: int = 65_536
    rate_most: int = RATE_MOST

    @property
    def in_sync(self) -> int:
        """Return how many copies must have a record before it counts."""
        return 2 if self.replicas > 2 else 1


@dataclass(frozen=True, slots=True)
class Rule:
    """One setting of a broker: what it must be, by a test over its value, and what to do when it is not."""

    setting: str
    expected: Callable[[Wants], str]
    holds: Callable[[str, Wants], bool]
    because: str
    grave: bool = True


def _is(value: str) -> tuple[Callable[[Wants], str], Callable[[str, Wants], bool]]:
    return lambda _: value, lambda found, _: found == value


def _most(bound: Callable[[Wants], int]) -> tuple[Callable[[Wants], str], Callable[[str, Wants], bool]]:
    return lambda wants: f"at most {bound(wants)}", lambda found, wants: _number(found) <= bound(wants)


def _least(bound: Callable[[Wants], int]) -> tuple[Callable[[Wants], str], Callable[[str, Wants], bool]]:
    return lambda wants: f"at least {bound(wants)}", lambda found, wants: _number(found) >= bound(wants)


RULES: tuple[Rule, ...] = (
    Rule("auto.create.topics.enable", *_is("false"), "a misspelt topic would be made, with one partition"),
    Rule(
        "unclean.leader.election.enable",
        *_is("false"),
        "a copy that is behind could lead, and what was committed be gone",
    ),
    Rule(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        *_most(lambda _: CLEANUP_MS),
        "a dead worker's transaction holds everyone up until then",
    ),
    Rule(
        "transaction.partition.verification.enable",
        *_is("true"),
        "a late write of a dead worker could hang a partition",
    ),
    Rule("transaction.max.timeout.ms", *_least(lambda w: w.transaction_ms), "no worker could begin a transaction"),
    Rule("transaction.state.log.min.isr", *_least(lambda w: w.in_sync), "a commit could be lost with one broker"),
    Rule(
        "transaction.state.log.replication.factor",
        *_least(lambda w: w.replicas),
        "what was committed would be known to fewer brokers than the records are",
    ),
    Rule(
        "offsets.topic.replication.factor",
        *_least(lambda w: w.replicas),
        "positions would be lost with fewer brokers than records are",
    ),
    Rule(
        "offsets.retention.minutes",
        *_least(lambda _: POSITIONS_MINUTES),
        "workers that were stopped for longer find their positions gone",
    ),
    Rule(
        "transactional.id.expiration.ms",
        *_least(lambda _: 7 * DAY_MS),
        "a worker that was stopped for longer is not fenced by its successor",
    ),
    Rule("group.min.session.timeout.ms", *_most(lambda w: w.session_ms), "no worker could join its group"),
    Rule("group.max.session.timeout.ms", *_least(lambda w: w.session_ms), "no worker could join its group"),
    Rule("log.cleaner.enable", *_is("true"), "compacted topics would grow for ever, and every restore with them"),
    Rule(
        "authorizer.class.name",
        lambda _: "an authorizer",
        lambda found, _: bool(found),
        "whoever reaches this broker may write decisions; `placet acls apply` gives each role its rights",
        grave=False,
    ),
    Rule(
        "allow.everyone.if.no.acl.found",
        *_is("false"),
        "whoever reaches this broker may write what nobody was given a right to",
    ),
)
"""What every broker must be set to."""


def examine(seen: Seen, connection: Connection, wants: Wants) -> list[Finding]:
    """Return all that is wrong with the cluster, what ends a promise first."""
    found = [finding for check in CHECKS for finding in check(seen, connection, wants)]
    return sorted(found, key=lambda one: not one.grave)


def _brokers(seen: Seen, _: Connection, wants: Wants) -> Iterator[Finding]:
    for node, settings in seen.brokers.items():
        for rule in RULES:
            value = settings.get(rule.setting, "")
            # A broker of another version may not have it; then its own way is the only one.
            if rule.setting in settings and not rule.holds(value, wants):
                yield Finding(
                    rule.setting,
                    rule.grave,
                    f"broker {node}",
                    f"`{rule.setting}` is {value or 'empty'}",
                    rule.expected(wants),
                    f"set it in the broker's properties and restart it: {rule.because}",
                )
    if len(seen.brokers) < wants.replicas:
        told = f"{len(seen.brokers)} brokers answer"
        yield fault("brokers", connection_of(seen), told, f"at least {wants.replicas}", "start the others")


def connection_of(seen: Seen) -> str:
    """Return how messages name the cluster as a whole."""
    return f"cluster of {', '.join(map(str, sorted(seen.brokers)))}"


def _timeouts(_: Seen, connection: Connection, wants: Wants) -> Iterator[Finding]:
    for code, name, value, most in (
        ("session", "PLACET_MEMBER_MS_MAX", wants.session_ms, SESSION_MS),
        ("transaction-timeout", "PLACET_TRANSACTION_MS_MAX", wants.transaction_ms, TRANSACTION_MS),
    ):
        if value > most:
            next_ = f"unset {name}: another slot takes over only after this"
            yield fault(code, "this process", f"{name} is {value}", f"at most {most}", next_)
    for name in ("session.timeout.ms", "transaction.timeout.ms", "isolation.level", "acks", "enable.idempotence"):
        if name in connection.options:
            told = f"PLACET_KAFKA names `{name}`"
            next_ = "take it out: it is placet's own, and what stands there is not used"
            yield warning("options", "this process", told, "TLS and SASL only", next_)


def _topics(seen: Seen, connection: Connection, wants: Wants) -> Iterator[Finding]:
    counts = {spec.topic: seen.shapes[spec.topic].partitions for spec in TOPICS if spec.topic in seen.shapes}
    partitions = wants.partitions or counts.get(Topic.INTENTS, 4)
    for spec in TOPICS:
        title = connection.title(spec.topic)
        count = partitions if spec.decided else counts.get(spec.topic, 1)
        shape = seen.shapes.get(spec.topic)
        for one in differences(spec, title, shape, partitions=count, replication=wants.replicas):
            told = "is not there" if one.setting == "topic" else f"`{one.setting}` is {one.found}"
            next_ = f"{one.why}: make it anew under another prefix" if one.mend is Mend.REFUSE else _APPLY
            yield fault(f"topic-{one.setting}", title, told, one.expected, next_)
        if spec.decided and shape is not None and spec.topic not in _SET_BYTES:
            room = int(shape.settings.get("max.message.bytes", "0"))
            if room < wants.record_bytes * 2:
                told = f"`max.message.bytes` is {room}"
                next_ = "raise it, or lower PLACET_RECORD_BYTES_MAX"
                yield fault("topic-max.message.bytes", title, told, f"at least {wants.record_bytes * 2}", next_)
    ours = {connection.title(spec.topic) for spec in TOPICS}
    for title in sorted(seen.titles - ours):
        if title.startswith(f"{connection.prefix}placet."):
            yield warning("topic-unknown", title, "is no topic of placet", "those of the table", "who writes it?")


_SET_BYTES = frozenset({Topic.DECISIONS, Topic.CASES, Topic.DESK, Topic.QUARANTINE})


def _copies(seen: Seen, _: Connection, wants: Wants) -> Iterator[Finding]:
    if wants.replicas < 3:
        told = f"{wants.replicas} copies of each partition"
        next_ = "PLACET_REPLICAS=3 on three brokers; until then a lost disk may take answers with it"
        yield warning("copies", connection_of(seen), told, "3, of which 2 in step: the promises rest on it", next_)
    for one in seen.copies:
        where = f"{one.title}/{one.partition}"
        if not one.led:
            yield fault("leader", where, "nobody leads it", "a leader", "start the brokers that hold it")
        elif one.in_step < min(wants.in_sync, one.all):
            told = f"{one.in_step} of {one.all} copies are in step"
            yield fault("in-step", where, told, f"at least {wants.in_sync}", "start the brokers that are behind")
        elif one.in_step < one.all:
            told = f"{one.in_step} of {one.all} copies are in step"
            yield warning("in-step", where, told, f"{one.all}", "look after the broker that is behind")
        if one.title.startswith("__") and one.all < wants.replicas:
            told = f"{one.all} copies"
            next_ = "add copies with the cluster's own tools: its setting counts only when it is made"
            yield fault("internal-copies", where, told, f"{wants.replicas}", next_)


def _inputs(seen: Seen, _: Connection, wants: Wants) -> Iterator[Finding]:
    for one in seen.stands:
        where = f"{one.title}/{one.partition}"
        if one.position is not None and one.position < one.first:
            told = f"the workers stand at {one.position}, the first record kept is {one.first}"
            next_ = "records were removed before they were decided: a person must look, and the retention be raised"
            yield fault("position-lost", where, told, "a position that is kept", next_)
        if one.position is not None and one.position > one.end:
            told = f"the workers stand at {one.position}, the end is {one.end}"
            next_ = "the topic was made anew, or its end was lost: a person must look"
            yield fault("position-lost", where, told, "a position that is kept", next_)
        rate = (one.end - one.minute_ago) // 60
        if rate > wants.rate_most:
            told = f"took {rate} records/s in the last minute"
            next_ = "which key is so busy? split its authority: one desk decides a key"
            yield warning("rate", where, told, f"at most {wants.rate_most}", next_)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1


CHECKS: tuple[Callable[[Seen, Connection, Wants], Iterator[Finding]], ...] = (
    _brokers,
    _timeouts,
    _topics,
    _copies,
    _inputs,
)
