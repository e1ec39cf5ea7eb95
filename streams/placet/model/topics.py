"""One table of topics: what each carries, who writes it, who reads it, and how long it is kept."""

from dataclasses import dataclass
from enum import IntEnum

DAY_MS = 86_400_000


class Topic(IntEnum):
    """The topics by number, as positions and cuts name them. Numbers are wire contract."""

    INTENTS = 1
    VOTES = 2
    OUTCOMES = 3
    DECISIONS = 4
    CASES = 5
    DESK = 6
    SIGNALS = 7
    RISK = 8
    SENSITIVITY = 9
    PRINCIPALS = 10
    MANDATES = 11
    CONTROLS = 12
    POLICIES = 13
    KEYS = 14
    QUARANTINE = 15

    @property
    def title(self) -> str:
        """Return the topic's name on a broker, as `placet.intents`."""
        return f"placet.{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What one topic is. `keyed` says what its key is made of; `decided` that it has the desks' partition count."""

    topic: Topic
    records: tuple[str, ...]
    keyed: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    decided: bool
    compacted: bool
    retention_ms: int


def _spec(
    topic: Topic,
    records: str,
    keyed: str,
    writers: str,
    readers: str,
    *,
    decided: bool = False,
    compacted: bool = False,
    days: int = 7,
) -> TopicSpec:
    return TopicSpec(
        topic,
        tuple(records.split()),
        keyed,
        tuple(writers.split()),
        tuple(readers.split()),
        decided,
        compacted,
        -1 if compacted or days < 0 else days * DAY_MS,
    )


TOPICS: tuple[TopicSpec, ...] = (
    # An executor of a grant that is its own claim reads what was asked, to hold it against what was granted.
    _spec(
        Topic.INTENTS,
        "intent withdraw",
        "tenant/authority",
        "agent gateway",
        "worker executor notary auditor",
        decided=True,
        days=30,
    ),
    _spec(Topic.VOTES, "vote", "tenant/authority", "approver gateway", "worker notary auditor", decided=True, days=30),
    # An operator settles what an executor never told.
    _spec(
        Topic.OUTCOMES,
        "claim outcome",
        "tenant/authority",
        "executor gateway operator",
        "worker notary auditor",
        decided=True,
        days=30,
    ),
    _spec(
        Topic.DECISIONS,
        "verdict repeat refusal halted review seal",
        "tenant/authority",
        "worker",
        "worker agent executor gateway notary auditor operator",
        decided=True,
        days=-1,
    ),
    _spec(Topic.CASES, "case", "tenant/authority", "worker", "auditor gateway", decided=True, days=-1),
    _spec(
        Topic.DESK, "desk_change review", "ordinal or attempt", "worker", "worker auditor", decided=True, compacted=True
    ),
    # A feed's watermark lies in every partition: the context app marks risk no further than the feeds marked this.
    _spec(Topic.SIGNALS, "risk_signal watermark", "tenant/subject", "feed gateway", "context notary", days=30),
    _spec(Topic.RISK, "risk watermark", "tenant/subject/source", "context", "worker auditor", compacted=True),
    _spec(
        Topic.SENSITIVITY,
        "sensitivity watermark",
        "tenant/resource/source",
        "classifier gateway",
        "worker auditor",
        compacted=True,
    ),
    _spec(
        Topic.PRINCIPALS,
        "principal watermark",
        "tenant/principal/source",
        "identity gateway",
        "worker auditor operator",
        compacted=True,
    ),
    # An operator narrows and ends what was granted, and reads first what that is, and what breaks its chain.
    _spec(
        Topic.MANDATES,
        "mandate watermark",
        "tenant/mandate",
        "identity operator gateway",
        "worker auditor operator",
        compacted=True,
    ),
    _spec(
        Topic.CONTROLS,
        "control watermark",
        "tenant/calendar/scope or tenant/kind/id/scope/operator/observed/expires",
        "operator",
        "worker auditor operator",
        compacted=True,
    ),
    _spec(
        Topic.POLICIES,
        "pack active_set watermark",
        "tenant/pack/digest or tenant/active/revision/digest",
        "operator",
        "worker auditor operator",
        compacted=True,
    ),
    # Every word about a key stays: an older one, written again, compacts nothing away.
    _spec(
        Topic.KEYS,
        "key watermark",
        "tenant/kid/observed/compromised/operator",
        "operator",
        "worker context executor auditor operator",
        compacted=True,
    ),
    _spec(
        Topic.QUARANTINE,
        "quarantined",
        "topic/partition/offset",
        "worker context",
        "operator auditor",
        decided=True,
        days=30,
    ),
)

SPECS: dict[Topic, TopicSpec] = {spec.topic: spec for spec in TOPICS}
INPUTS: tuple[Topic, ...] = (Topic.OUTCOMES, Topic.VOTES, Topic.INTENTS)
"""What a desk reads, in the order of a batch."""
CONTEXT: tuple[Topic, ...] = (
    Topic.RISK,
    Topic.SENSITIVITY,
    Topic.PRINCIPALS,
    Topic.MANDATES,
    Topic.CONTROLS,
    Topic.POLICIES,
    Topic.KEYS,
)
"""What a worker reads whole, and freezes for a batch."""
EMITS: tuple[Topic, ...] = (Topic.DECISIONS, Topic.CASES, Topic.DESK, Topic.QUARANTINE)
"""What a desk writes, all in one transaction."""
