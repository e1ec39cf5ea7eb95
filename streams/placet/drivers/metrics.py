"""The core metrics: one table of names and labels, and the `Watch` that a process counts into."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from placet.drivers.clock import SystemClock
from placet.model.reasons import Effect, Reason
from placet.ports import Clock


class Kind(StrEnum):
    """What a metric is to Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One row of the table: the name as Prometheus reads it, without the suffixes of a histogram."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    says: str


CONTENT_TYPE = CONTENT_TYPE_LATEST
SLO_BUCKETS_S: tuple[float, ...] = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.07, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
"""Around the promises: 10 ms embedded, 70 ms on Kafka."""
WAIT_BUCKETS_S: tuple[float, ...] = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200)
"""People answer within seconds or days."""


def _row(name: str, kind: Kind, labels: str, says: str) -> MetricSpec:
    return MetricSpec(f"placet_{name}", kind, tuple(labels.split()), says)


C, G, H, I = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM, Kind.INFO  # noqa: E741
METRICS: tuple[MetricSpec, ...] = (
    # flow
    _row("intents_total", C, "action_class", "intents read, by the first word of their action"),
    _row("verdicts_total", C, "effect reason_class policy_set", "first answers"),
    _row("decision_duration_seconds", H, "", "time of one batch in the desk and its commit, by batch"),
    _row("intent_to_verdict_seconds", H, "", "from an intent's append time to the instant of its batch"),
    # approvals
    _row("approval_wait_seconds", H, "", "from asking people to their answer"),
    _row("approvals_pending", G, "", "intents that wait for people"),
    _row("approval_oldest_age_seconds", G, "", "age of the one that waits longest"),
    _row("reviews_total", C, "state", "steps of reviews of emergencies: asked, right, wrong, overdue"),
    _row("reviews_open", G, "", "emergencies that people have to look at"),
    _row("reviews_overdue", G, "", "those of them that nobody looked at in time"),
    # changes
    _row("halt_seconds", H, "", "from a halt's append time to the instant of the batch that says it, by partition"),
    _row("revoke_seconds", H, "", "from a context record's append time to the instant that takes back what it touched"),
    # joins
    _row("signal_age_seconds", G, "stream", "since a context stream was last heard"),
    _row("signals_total", C, "stream result", "context records read: taken, ignored or refused"),
    _row("join_misses_total", C, "stream", "facts a rule needed that were missing or silent"),
    # policy
    _row("fail_closed_total", C, "cause", "denied because something could not be known or run"),
    _row("policy_eval_errors_total", C, "rule", "rules that erred"),
    _row("limits_reached_total", C, "limit", "grants that reached 80 % of a limit; all mandates' together"),
    _row("policy_bundle_info", I, "digest", "the active set of packs"),
    _row("policy_load_timestamp_seconds", G, "", "when it was loaded, since 1970"),
    # stream
    _row("consumer_lag_records", G, "topic partition", "input records not yet decided"),
    _row("consumer_lag_seconds", G, "", "age of the oldest record of the newest batch"),
    _row("rebalances_total", C, "", "times the partitions of this process changed"),
    _row("txn_aborts_total", C, "", "batches thrown away and brought again"),
    _row("state_restore_seconds", G, "", "time the newest restore took"),
    _row("dlq_total", C, "reason", "input records refused, by reason"),
    # log
    _row("log_tree_size", G, "", "leaves of the provenance log"),
    _row("log_checkpoint_age_seconds", G, "", "since the newest checkpoint was signed"),
    _row("log_verify_failures_total", C, "", "proofs or Seals that did not verify"),
    # security
    _row("executions_without_verdict_total", C, "", "outcomes without a claimed grant: someone went around"),
    _row("verdict_replays_rejected_total", C, "", "grants an executor was shown again and did not begin again"),
)

ACTION_CLASSES_MOST = 64
"""Agents choose action names; past this many first words the rest is `other`."""
OTHER = "other"

_REASON_CLASSES: tuple[tuple[int, str], ...] = (
    (100, "faulty"),
    (200, "misplaced"),
    (300, "identity"),
    (400, "transient"),
    (600, "policy"),
    (1 << 31, "life"),
)
_FAIL_CLOSED: dict[int, str] = {
    reason: reason.name.lower()
    for reason in (
        Reason.PACK_MISSING,
        Reason.LAGGING,
        Reason.OVERLOADED,
        Reason.CONTEXT_SILENT,
        Reason.NO_RULE,
        Reason.RULE_ERRED,
        Reason.EVALUATION_DISAGREES,
        Reason.FACT_MISSING,
        Reason.FACT_SILENT,
    )
}


def reason_class(reason: int) -> str:
    """Return the class of a reason: few enough to be a label."""
    return next(name for bound, name in _REASON_CLASSES if reason < bound)


def build(spec: MetricSpec, registry: CollectorRegistry) -> MetricWrapperBase:
    """Return the collector of one row, registered."""
    match spec.kind:
        case Kind.COUNTER:
            return Counter(spec.name.removesuffix("_total"), spec.says, spec.labels, registry=registry)
        case Kind.GAUGE:
            return Gauge(spec.name, spec.says, spec.labels, registry=registry)
        case Kind.INFO:
            return Info(spec.name.removesuffix("_info"), spec.says, registry=registry)
        case Kind.HISTOGRAM:
            buckets = WAIT_BUCKETS_S if spec.name == "placet_approval_wait_seconds" else SLO_BUCKETS_S
            return Histogram(spec.name, spec.says, spec.labels, buckets=buckets, registry=registry)


@dataclass(slots=True)
class Count:
    """What a process did in one batch, added up while it did it. Counting one intent is a few dict increments.

    `intents` by action; `answers` by (effect, reason) of first answers;
    `refused` by reason; `missing` by name of a fact; `erred` by rule; `near` limits that are nearly reached, by name;
    `reviews` of emergencies by state;
    `waits_ms` from append to instant, one for each first answer, or a sample; `approvals_ms` from append to the end of
    each wait for people; `halts_ms` from append to the batch that says a halt; `revokes_ms` from a change of context to
    the batch that revokes or stops what it touched.
    """

    intents: Tally[str] = field(default_factory=Tally)
    answers: Tally[tuple[int, int]] = field(default_factory=Tally)
    refused: Tally[int] = field(default_factory=Tally)
    missing: Tally[str] = field(default_factory=Tally)
    erred: Tally[str] = field(default_factory=Tally)
    waits_ms: list[int] = field(default_factory=list)
    took_s: float = 0.0
    lag_ms: int = 0
    approvals_ms: list[int] = field(default_factory=list)
    halts_ms: list[int] = field(default_factory=list)
    revokes_ms: list[int] = field(default_factory=list)
    near: Tally[str] = field(default_factory=Tally)
    reviews: Tally[str] = field(default_factory=Tally)
    policy_set: str = ""


class Watch:
    """What one process counts: give `batch` what was added up, call the others when the thing happens.

    Labels are made once and kept, so a batch of 500 costs tens of
    microseconds, not one lookup an intent. Counting never fails a batch.
    """

    def __init__(self, registry: CollectorRegistry | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._policy_set = ""
        self.registry = registry or CollectorRegistry(auto_describe=True)
        self._of = {spec.name: build(spec, self.registry) for spec in METRICS}
        self._classes: set[str] = set()
        self._kept: dict[tuple[str, tuple[str, ...]], Counter] = {}

    def batch(self, count: Count) -> None:
        """Add what one batch did."""
        for action, number in count.intents.items():
            self._add("placet_intents_total", number, self._class_of(action))
        for (effect, reason), number in count.answers.items():
            label = Effect(effect).name.lower() if effect else "none"
            self._add("placet_verdicts_total", number, label, reason_class(reason), count.policy_set[:12])
            if reason in _FAIL_CLOSED:
                self._add("placet_fail_closed_total", number, _FAIL_CLOSED[reason])
        for reason, number in count.refused.items():
            self._add("placet_dlq_total", number, Reason(reason).name.lower())
            if reason == Reason.OUTCOME_UNKNOWN:
                self._add("placet_executions_without_verdict_total", number)
        for fact, number in count.missing.items():
            self._add("placet_join_misses_total", number, fact.partition(".")[0])
        self._named("placet_policy_eval_errors_total", count.erred)
        self._named("placet_limits_reached_total", count.near)
        self._named("placet_reviews_total", count.reviews)
        for name, waits_ms in (
            ("placet_intent_to_verdict_seconds", count.waits_ms),
            ("placet_approval_wait_seconds", count.approvals_ms),
            ("placet_halt_seconds", count.halts_ms),
            ("placet_revoke_seconds", count.revokes_ms),
        ):
            histogram = self._histogram(name)
            for wait in waits_ms:
                histogram.observe(wait / 1000)
        if count.took_s:
            self._histogram("placet_decision_duration_seconds").observe(count.took_s)
        self._gauge("placet_consumer_lag_seconds").set(count.lag_ms / 1000)
        if count.policy_set != self._policy_set:
            self._policy_set = count.policy_set
            self.policy(count.policy_set, self._clock.now_ms())

    def _named(self, metric: str, counted: Mapping[str, int]) -> None:
        for name, number in counted.items():
            self._add(metric, number, name)

    def context(self, stream: str, taken: int, ignored: int, age_ms: int) -> None:
        """Say what one read of a context stream brought, and how long ago it was last heard."""
        if taken:
            self._add("placet_signals_total", taken, stream, "taken")
        if ignored:
            self._add("placet_signals_total", ignored, stream, "ignored")
        self._gauge("placet_signal_age_seconds", stream).set(max(0, age_ms) / 1000)

    def lag(self, left: Mapping[tuple[str, int], int]) -> None:
        """Say how many input records are not yet decided, by topic and partition."""
        for (topic, partition), records in left.items():
            self._gauge("placet_consumer_lag_records", topic, str(partition)).set(records)

    def policy(self, digest: str, at_ms: int) -> None:
        """Say which set of packs is active since when."""
        info = self._of["placet_policy_bundle_info"]
        assert isinstance(info, Info)
        info.info({"digest": digest})
        self._gauge("placet_policy_load_timestamp_seconds").set(at_ms / 1000)

    def restored(self, took_s: float) -> None:
        """Say how long a restore took."""
        self._gauge("placet_state_restore_seconds").set(took_s)

    def rebalanced(self) -> None:
        """Count a change of partitions."""
        self._add("placet_rebalances_total", 1)

    def aborted(self) -> None:
        """Count a batch that was thrown away and is brought again."""
        self._add("placet_txn_aborts_total", 1)

    def unverified(self) -> None:
        """Count a Seal or proof that did not verify."""
        self._add("placet_log_verify_failures_total", 1)

    def replayed(self) -> None:
        """Count a grant that was shown again and not begun again."""
        self._add("placet_verdict_replays_rejected_total", 1)

    def waiting(self, asked_at_ms: Iterable[int], now_ms: int) -> None:
        """Say how many intents wait for people, and since when the oldest does."""
        waits = [now_ms - asked_at for asked_at in asked_at_ms]
        self._gauge("placet_approvals_pending").set(len(waits))
        self._gauge("placet_approval_oldest_age_seconds").set(max(0, *waits, 0) / 1000)

    def reviewing(self, open_: int, overdue: int) -> None:
        """Say how many emergencies people have to look at, and how many of those they have not in time."""
        self._gauge("placet_reviews_open").set(open_)
        self._gauge("placet_reviews_overdue").set(overdue)

    def _add(self, name: str, number: int, *labels: str) -> None:
        kept = self._kept.get((name, labels))
        if kept is None:
            counter = self._of[name]
            assert isinstance(counter, Counter)
            kept = self._kept[name, labels] = counter.labels(*labels) if labels else counter
        kept.inc(number)

    def _gauge(self, name: str, *labels: str) -> Gauge:
        gauge = self._of[name]
        assert isinstance(gauge, Gauge)
        return gauge.labels(*labels) if labels else gauge

    def _histogram(self, name: str) -> Histogram:
        histogram = self._of[name]
        assert isinstance(histogram, Histogram)
        return histogram

    def _class_of(self, action: str) -> str:
        word = action.partition(".")[0]
        if word not in self._classes:
            if len(self._classes) >= ACTION_CLASSES_MOST:
                return OTHER
            self._classes.add(word)
        return word


def exposition(watch: Watch) -> bytes:
    """Return everything counted in Prometheus' text format."""
    return generate_latest(watch.registry)
