"""How a cluster's topics differ from the one table, and which differences can be mended without losing anything."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from placet.drivers.kafka.connection import MESSAGE_BYTES_MAX
from placet.model.topics import CONTEXT, DAY_MS, EMITS, Topic, TopicSpec

DELETE_RETENTION_MS = 7 * DAY_MS
"""How long a tombstone stays readable: a local copy of a compacted topic that slept longer is thrown away."""

COMPACTION_LAG_MS = DAY_MS
"""How long a replaced record may stay on disk: the key of an erased case is one of them."""

SEEN_MS = 7 * DAY_MS
"""How long what a directory or a classifier said outlives whatever is written over it: time to see that in quarantine."""

NOTARY_AWAY_MS = DAY_MS // 2
"""How long a replaced context record stays at least: a notary that is away for no longer than that logs it still."""

FOREVER = -1
"""What brokers call a retention without end."""


class Mend(StrEnum):
    """What `topics apply` does about a difference."""

    MAKE = "make"
    SET = "set"
    REFUSE = "refuse"


class Safe(StrEnum):
    """In which direction a setting may be moved while records are there."""

    UP = "up"
    DOWN = "down"
    EITHER = "either"
    NEVER = "never"


COMPARED: Mapping[str, Safe] = {
    # Records that were to be deleted are not there any more, or keys of which several stand are one. From compacting to
    # keeping all for ever nothing more is lost.
    "cleanup.policy": Safe.NEVER,
    # Append times of what is there would be of two kinds.
    "message.timestamp.type": Safe.NEVER,
    "retention.ms": Safe.UP,
    "delete.retention.ms": Safe.UP,
    "max.message.bytes": Safe.UP,
    "min.insync.replicas": Safe.UP,
    "min.compaction.lag.ms": Safe.UP,
    "max.compaction.lag.ms": Safe.DOWN,
    "segment.bytes": Safe.EITHER,
    "compression.type": Safe.EITHER,
    "unclean.leader.election.enable": Safe.EITHER,
}
"""Every setting of a topic that is compared, and how far `topics apply` may go in changing it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A topic as it is on a cluster: partitions, copies of each, and its settings in force."""

    partitions: int
    copies: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a topic is not as the table says, and what `topics apply` does about it."""

    topic: Topic
    title: str
    setting: str
    found: str
    expected: str
    mend: Mend
    why: str = ""

    def __str__(self) -> str:
        why = f"; {self.why}" if self.why else ""
        match self.setting:
            case "topic":
                return f"{self.title}: is not there{why}"
            case "partitions":
                return f"{self.title}: has {self.found} partitions, not {self.expected}{why}"
            case "copies":
                return f"{self.title}: has {self.found} copies of a partition, not {self.expected}{why}"
        return f"{self.title}: `{self.setting}` is {self.found}, not {self.expected}{why}"


def settings_of(spec: TopicSpec, replication: int) -> dict[str, str]:
    """Return the broker's settings for a topic."""
    settings = {
        # An append time is the broker's word, and one clock serves all writers.
        "message.timestamp.type": "LogAppendTime",
        "cleanup.policy": "compact" if spec.compacted else "delete",
        "retention.ms": str(spec.retention_ms),
        "min.insync.replicas": str(2 if replication > 2 else 1),
        # A copy that is behind never leads: what was committed would be gone.
        "unclean.leader.election.enable": "false",
    }
    if spec.topic == Topic.SIGNALS:
        # Feeds compress as they like; the client under Faust knows few of the codecs, and dies of the others.
        settings["compression.type"] = "uncompressed"
    if spec.compacted:
        # Only closed segments are compacted; small ones keep a restore from an empty disk short.
        settings |= {
            "segment.bytes": str(64 << 20),
            "delete.retention.ms": str(DELETE_RETENTION_MS),
            "max.compaction.lag.ms": str(COMPACTION_LAG_MS),
        }
    if spec.topic in CONTEXT and spec.compacted:
        settings["min.compaction.lag.ms"] = str(NOTARY_AWAY_MS)
    if spec.topic in (Topic.PRINCIPALS, Topic.SENSITIVITY):
        settings |= {"min.compaction.lag.ms": str(SEEN_MS), "max.compaction.lag.ms": str(SEEN_MS + COMPACTION_LAG_MS)}
    if spec.topic in EMITS:
        # A quarantined record holds another whole record; a desk change the changes of a whole batch.
        settings["max.message.bytes"] = str(MESSAGE_BYTES_MAX)
    return settings


def differences(
    spec: TopicSpec, title: str, found: Shape | None, *, partitions: int, replication: int
) -> Iterator[Difference]:
    """Yield every difference of one topic, `found` being how it is, or None where it is not there."""
    if found is None:
        yield Difference(spec.topic, title, "topic", "missing", "there", Mend.MAKE)
        return
    if found.partitions != partitions:
        why = "keys would move to other partitions, so this is never changed"
        yield Difference(spec.topic, title, "partitions", str(found.partitions), str(partitions), Mend.REFUSE, why=why)
    if found.copies != replication:
        why = "copies are moved by the cluster's own tools"
        yield Difference(spec.topic, title, "copies", str(found.copies), str(replication), Mend.REFUSE, why=why)
    for name, expected in settings_of(spec, replication).items():
        value = found.settings.get(name, "unknown")
        if value != expected:
            mend, why = (Mend.SET, "") if _keeps_more(spec, name, value) else _mend(COMPARED[name], value, expected)
            yield Difference(spec.topic, title, name, value, expected, mend, why=why)


def _keeps_more(spec: TopicSpec, name: str, found: str) -> bool:
    """Return whether a topic would only keep more than with what was `found`, and nothing that somebody may want erased."""
    if name == "cleanup.policy":
        return (found, spec.retention_ms) == ("compact", FOREVER)
    return name == "max.compaction.lag.ms" and spec.topic != Topic.DESK


def refused(found: Iterable[Difference]) -> list[Difference]:
    """Return the differences that `topics apply` leaves to a person."""
    return [one for one in found if one.mend is Mend.REFUSE]


def _mend(safe: Safe, found: str, expected: str) -> tuple[Mend, str]:
    if safe is Safe.NEVER:
        return Mend.REFUSE, "records that are there were written otherwise"
    if safe is Safe.EITHER:
        return Mend.SET, ""
    try:
        grows = _size(found) < _size(expected)
    except ValueError:
        return Mend.REFUSE, "not a number"
    if grows == (safe is Safe.UP):
        return Mend.SET, ""
    return Mend.REFUSE, "shrinking it would lose what it keeps" if safe is Safe.UP else "records would stay longer"


def _size(text: str) -> float:
    number = int(text)
    return float("inf") if number == FOREVER else number
