"""The core metrics: one table of names, kinds and labels."""

from dataclasses import dataclass
from enum import StrEnum


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
    _row("revoke_seconds", H, "", "from a context record's append to the instant that revokes what it touched"),
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
    _row("log_merge_delay_seconds", H, "", "from a record's append time to the checkpoint that covers it, a sample"),
    _row("log_verify_failures_total", C, "", "proofs or Seals that did not verify"),
    _row(
        "log_witnessed_total", C, "result", "heads of this log that witnesses were asked to cosign, by what they said"
    ),
    _row("log_unwitnessed", G, "", "1 while the newest head lacks the quorum of witnesses and is not published"),
    _row("witness_answers_total", C, "status", "heads of others that this witness was asked to cosign, by its answer"),
    _row("witness_contradictions", G, "", "heads kept that contradict what this witness cosigned of a log"),
    # security
    _row("executions_without_verdict_total", C, "", "outcomes without a claimed grant: someone went around"),
    _row("verdict_replays_rejected_total", C, "", "grants an executor was shown again and did not begin again"),
)
