"""What is exposed is the one table, name by name and label by label; counting is right and its labels are bounded."""

import re
from collections import Counter

import pytest

from placet.drivers.metrics import ACTION_CLASSES_MOST, METRICS, Count, Kind, Watch, exposition, reason_class
from placet.model.reasons import Effect, Reason

# The core set, as the ecosystem names it: written here by hand, so that the table cannot drift by itself.
CORE = """
placet_intents_total{action_class}
placet_verdicts_total{effect,reason_class,policy_set}
placet_decision_duration_seconds
placet_intent_to_verdict_seconds
placet_approval_wait_seconds
placet_approvals_pending
placet_approval_oldest_age_seconds
placet_reviews_total{state}
placet_reviews_open
placet_reviews_overdue
placet_halt_seconds
placet_revoke_seconds
placet_signal_age_seconds{stream}
placet_signals_total{stream,result}
placet_join_misses_total{stream}
placet_fail_closed_total{cause}
placet_policy_eval_errors_total{rule}
placet_limits_reached_total{limit}
placet_policy_bundle_info{digest}
placet_policy_load_timestamp_seconds
placet_consumer_lag_records{topic,partition}
placet_consumer_lag_seconds
placet_rebalances_total
placet_txn_aborts_total
placet_state_restore_seconds
placet_dlq_total{reason}
placet_log_tree_size
placet_log_checkpoint_age_seconds
placet_log_verify_failures_total
placet_executions_without_verdict_total
placet_verdict_replays_rejected_total
"""


def filled() -> Watch:
    watch = Watch()
    watch.batch(
        Count(
            intents=Counter({"payments.refund": 3, "payments.transfer": 1}),
            answers=Counter({(Effect.PERMIT, Reason.PERMITTED): 2, (Effect.DENY, Reason.NO_RULE): 2}),
            refused=Counter({Reason.UNDECODABLE: 1, Reason.OUTCOME_UNKNOWN: 1}),
            missing=Counter({"actor.risk": 1}),
            erred=Counter({"payments/refund-small": 1}),
            near=Counter({"payments/refunds-a-day": 2}),
            reviews=Counter(asked=2, overdue=1),
            waits_ms=[1, 3],
            approvals_ms=[4_000],
            halts_ms=[20],
            revokes_ms=[40],
            took_s=0.004,
            lag_ms=3,
            policy_set="ab" * 32,
        )
    )
    watch.context("risk", taken=2, ignored=1, age_ms=1_500)
    watch.lag({("placet.intents", 0): 7})
    watch.policy("ab" * 32, 1_700_000_000_000)
    watch.restored(0.5)
    watch.rebalanced()
    watch.aborted()
    watch.unverified()
    watch.replayed()
    watch.waiting([1_000, 2_000], 10_000)
    watch.reviewing(2, 1)
    return watch


def test_the_table_is_the_core_set() -> None:
    table = {spec.name + ("{" + ",".join(spec.labels) + "}" if spec.labels else "") for spec in METRICS}
    assert table == set(CORE.split())


def test_what_is_exposed_has_the_names_and_labels_of_the_table() -> None:
    specs = {spec.name: spec for spec in METRICS}
    exposed: dict[str, set[str]] = {}
    for line in exposition(filled()).decode().splitlines():
        if line.startswith("#"):
            continue
        name, labels = re.match(r"([a-z_]+)(?:\{(.*)\})? ", line).groups()  # type: ignore[union-attr]
        base = re.sub(r"_(bucket|sum|count|created)$", "", name)
        base = base if base in specs else base + "_total"
        exposed.setdefault(base, set()).update(set(re.findall(r'([a-z_]+)="', labels or "")) - {"le"})
    assert set(exposed) == set(specs)
    assert {name: set(spec.labels) for name, spec in specs.items()} == exposed


def value(watch: Watch, line: str) -> float:
    found = [row for row in exposition(watch).decode().splitlines() if row.startswith(line + " ")]
    assert len(found) == 1, line
    return float(found[0].split()[-1])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('placet_intents_total{action_class="payments"}', 4),
        ('placet_verdicts_total{effect="permit",policy_set="abababababab",reason_class="policy"}', 2),
        ('placet_fail_closed_total{cause="no_rule"}', 2),
        ('placet_dlq_total{reason="undecodable"}', 1),
        ("placet_executions_without_verdict_total", 1),
        ('placet_join_misses_total{stream="actor"}', 1),
        ("placet_intent_to_verdict_seconds_count", 2),
        ("placet_intent_to_verdict_seconds_sum", 0.004),
        ("placet_decision_duration_seconds_count", 1),
        ("placet_consumer_lag_seconds", 0.003),
        ('placet_consumer_lag_records{partition="0",topic="placet.intents"}', 7),
        ('placet_signals_total{result="taken",stream="risk"}', 2),
        ('placet_signal_age_seconds{stream="risk"}', 1.5),
        ("placet_policy_load_timestamp_seconds", 1_700_000_000),
        ("placet_approval_oldest_age_seconds", 9),
        ('placet_limits_reached_total{limit="payments/refunds-a-day"}', 2),
        ("placet_halt_seconds_sum", 0.02),
        ("placet_revoke_seconds_sum", 0.04),
    ],
)
def test_a_batch_is_counted(line: str, expected: float) -> None:
    assert value(filled(), line) == expected


def test_agents_cannot_make_labels_without_end() -> None:
    watch = Watch()
    watch.batch(Count(intents=Counter({f"made{number}.up": 1 for number in range(500)})))
    rows = [row for row in exposition(watch).decode().splitlines() if row.startswith("placet_intents_total{")]
    assert len(rows) == ACTION_CLASSES_MOST + 1
    assert value(watch, 'placet_intents_total{action_class="other"}') == 500 - ACTION_CLASSES_MOST


def test_every_reason_has_a_class_and_classes_are_few() -> None:
    assert {reason_class(reason) for reason in Reason} == {
        "faulty",
        "misplaced",
        "identity",
        "transient",
        "policy",
        "life",
    }


def test_no_histogram_ends_below_a_minute() -> None:
    assert [spec.name for spec in METRICS if spec.kind is Kind.HISTOGRAM] == [
        "placet_decision_duration_seconds",
        "placet_intent_to_verdict_seconds",
        "placet_approval_wait_seconds",
        "placet_halt_seconds",
        "placet_revoke_seconds",
    ]
